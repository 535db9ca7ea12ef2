// Owning types for libgit2's C handles: `Owned<git_tree> tree; git_tree_lookup(fill(tree), ...)`.
#pragma once

#include <utility>

struct git_commit;
struct git_indexer;
struct git_object;
struct git_odb;
struct git_odb_object;
struct git_packbuilder;
struct git_reference;
struct git_remote;
struct git_repository;
struct git_revwalk;
struct git_signature;
struct git_tree;
struct git_blob;
struct git_oid;

namespace reconciler {

struct FreeGit {
  void operator()(git_blob* handle) const;
  void operator()(git_commit* handle) const;
  void operator()(git_indexer* handle) const;
  void operator()(git_object* handle) const;
  void operator()(git_odb* handle) const;
  void operator()(git_odb_object* handle) const;
  void operator()(git_packbuilder* handle) const;
  void operator()(git_reference* handle) const;
  void operator()(git_remote* handle) const;
  void operator()(git_repository* handle) const;
  void operator()(git_revwalk* handle) const;
  void operator()(git_signature* handle) const;
  void operator()(git_tree* handle) const;
};

/// Owns one handle. Not a unique_ptr, because C functions fill it through its address.
template <class T>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_) FreeGit()(handle_);
  }

  T* get() const { return handle_; }
  T& operator*() const { return *handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

  /// Frees what it holds and lends the place for a new one.
  T** out() {
    if (handle_) FreeGit()(std::exchange(handle_, nullptr));
    return &handle_;
  }

 private:
  T* handle_ = nullptr;
};

template <class T>
T** fill(Owned<T>& owner) {
  return owner.out();
}

}  // namespace reconciler
