#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reconciler {

/// Names and values of a sample's labels, in the order they are written.
using Labels = std::vector<std::pair<std::string_view, std::string>>;

/// `repo="a",result="ok"`, values escaped; empty without labels.
std::string label_text(const Labels& labels);

/// Prometheus' text format, written straight into one string: a scrape of ten thousand rollouts builds nothing else.
class Exposition {
 public:
  /// The samples of a family follow it. `type`: counter, gauge or histogram.
  void family(std::string_view name, std::string_view type, std::string_view help);

  /// One sample of the family; `labels` as `label_text` writes them.
  void sample(std::string_view labels, double value) { sample("", labels, value); }
  /// The same with an ending of the family's name: `_bucket`, `_sum`, `_count`.
  void sample(std::string_view ending, std::string_view labels, double value);

  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

/// The shortest text that reads back as the same number; `+Inf` for infinity.
std::string number_text(double value);

}  // namespace reconciler
