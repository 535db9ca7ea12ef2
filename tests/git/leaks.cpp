// What LeakSanitizer is told of the libraries: leaks of theirs that we cannot avoid, a few bytes each.
//   libgit2 1.5: a copy of the HTTP headers at each fetch with a token (70 bytes)
//   libgit2 1.5: lists of the host key check of each SSH connection (32 bytes)
//   libgit2 1.5: an entry of a tree that it refuses to build on (62 bytes)
//   libssh2 1.10: parts of a session that is given up
extern "C" {
const char* __asan_default_options() { return "fast_unwind_on_malloc=0"; }  // else no frame of theirs has a name
const char* __lsan_default_suppressions() {
  return "leak:git_strarray_copy\nleak:git_remote_connect_ext\nleak:git_treebuilder_new\nleak:libssh2\n";
}
const char* __lsan_default_options() { return "print_suppressions=0"; }
}
