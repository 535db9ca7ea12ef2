#include "git/handle.h"

#include <git2.h>

namespace reconciler {

void FreeGit::operator()(git_blob* handle) const { git_blob_free(handle); }
void FreeGit::operator()(git_commit* handle) const { git_commit_free(handle); }
void FreeGit::operator()(git_indexer* handle) const { git_indexer_free(handle); }
void FreeGit::operator()(git_object* handle) const { git_object_free(handle); }
void FreeGit::operator()(git_odb* handle) const { git_odb_free(handle); }
void FreeGit::operator()(git_odb_object* handle) const { git_odb_object_free(handle); }
void FreeGit::operator()(git_packbuilder* handle) const { git_packbuilder_free(handle); }
void FreeGit::operator()(git_reference* handle) const { git_reference_free(handle); }
void FreeGit::operator()(git_remote* handle) const { git_remote_free(handle); }
void FreeGit::operator()(git_repository* handle) const { git_repository_free(handle); }
void FreeGit::operator()(git_revwalk* handle) const { git_revwalk_free(handle); }
void FreeGit::operator()(git_signature* handle) const { git_signature_free(handle); }
void FreeGit::operator()(git_tree* handle) const { git_tree_free(handle); }

}  // namespace reconciler
