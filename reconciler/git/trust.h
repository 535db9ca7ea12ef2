// Which commits may be deployed: those that were signed by somebody who may.
//
//   head    the newest commit that touches anything but status files must be signed
//   range   every first-parent commit since the last deployed one must be; a commit of nothing but status files deploys
//           nothing, so it may instead be one that this clone pushed, or carry the signature of a status key
//
// A clone that has deployed nothing yet has no range: then the head alone is looked at.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/handle.h"
#include "git/signature_check.h"

namespace reconciler {

enum class VerifyPolicy { None, Head, Range };

struct TrustOptions {
  VerifyPolicy policy = VerifyPolicy::None;
  SignerFiles signers;                 ///< of people
  std::string status_signers_file;     ///< allowed signers whose status commits pass, beside those of people
  std::string status_root = "status";  ///< below it lie the status files of all clusters
};

/// Belongs to the thread that polls and pushes.
class Trust {
 public:
  /// `clone`: where what we pushed is remembered.
  Trust(TrustOptions options, std::string clone) : options_(std::move(options)), clone_(std::move(clone)) {}

  Result<void> start();

  bool is_asked() const { return options_.policy != VerifyPolicy::None; }

  /// Whether `tip` may be deployed after `deployed` (empty: nothing was). `Invalid` names the commit that stands in the
  /// way and what is wrong with it; `Transient` when that could not be found out.
  Result<void> check(git_repository& repository, const std::string& deployed, const std::string& tip);

  /// These commits will be sent: they are known as ours from now on, also after a restart.
  Result<void> remember_own(const std::vector<std::string>& commits);
  /// Everything up to now is deployed, so none of ours will be asked about again.
  Result<void> forget_own();

 private:
  enum class Touches { StatusOnly, Anything };
  Result<Touches> touches(git_repository& repository, const std::string& commit) const;
  Result<void> check_head(git_repository& repository, const std::string& deployed, const std::string& tip);
  Result<void> check_range(git_repository& repository, const std::string& deployed, const std::string& tip);
  Result<void> check_commit(git_repository& repository, const std::string& commit, const SignerFiles& signers);
  Result<void> check_status_commit(git_repository& repository, const std::string& commit);

  TrustOptions options_;
  std::string clone_;
  std::set<std::string> own_;
  std::set<std::string> good_;  ///< commits found good before, by id
};

}  // namespace reconciler
