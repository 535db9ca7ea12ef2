#include "objects/content.h"

#include "objects/parsed.h"

#include "catch.h"

using namespace reconciler;

TEST_CASE("bookkeeping and status are no content", "[content]") {
  const Json live = parsed(R"({"kind": "Widget", "metadata": {"name": "a", "labels": {"x": "1"}, "uid": "u",
    "resourceVersion": "7", "generation": 2, "creationTimestamp": "t", "managedFields": [{}]},
    "spec": {"size": 1}, "status": {"size": 0}})");
  const Json content = parsed(R"({"kind": "Widget", "metadata": {"name": "a", "labels": {"x": "1"}},
    "spec": {"size": 1}})");
  CHECK(content_of(live) == content);
  CHECK(content_digest(live) == content_digest(content));
}

TEST_CASE("each change of content changes the digest", "[content]") {
  const Json before = parsed(R"({"kind": "Widget", "metadata": {"labels": {"x": "1"}}, "spec": {"a": [1, "2"]}})");
  for (std::string_view after :
       {R"({"kind": "Widget", "metadata": {"labels": {"x": "2"}}, "spec": {"a": [1, "2"]}})",
        R"({"kind": "Widget", "metadata": {"labels": {"y": "1"}}, "spec": {"a": [1, "2"]}})",
        R"({"kind": "Widget", "metadata": {"labels": {"x": "1"}}, "spec": {"a": ["2", 1]}})",
        R"({"kind": "Widget", "metadata": {"labels": {"x": "1"}}, "spec": {"a": ["1", "2"]}})",
        R"({"kind": "Widget", "metadata": {"labels": {"x": "1"}}, "spec": {"a": [1, "2", {}]}})",
        R"({"kind": "Widget", "metadata": {"labels": {"x": "1"}}, "spec": {"a": null}})",
        R"({"kind": "Widget", "metadata": {"labels": {"x": "1"}}})"}) {
    INFO(after);
    CHECK(content_digest(parsed(after)) != content_digest(before));
  }
}

TEST_CASE("a number is the same however it was parsed", "[content]") {
  CHECK(content_digest(Json{{"a", 1}}) == content_digest(Json{{"a", 1u}}));
}
