#include "daemon/shard.h"

#include "catch.h"

using namespace reconciler;

TEST_CASE("each namespace belongs to exactly one shard, and none has most of them", "[shard]") {
  std::vector<int> owned(3);
  for (int i = 0; i < 300; ++i) {
    const std::string ns = "team-" + std::to_string(i);
    int owners = 0;
    for (int index = 0; index < 3; ++index) {
      if (!Shard{index, 3}.owns(ns)) continue;
      ++owners;
      ++owned[size_t(index)];
    }
    CHECK(owners == 1);
  }
  for (int count : owned) CHECK((count > 70 && count < 130));
}

TEST_CASE("the hash is what it always was", "[shard]") {
  std::string owners;
  for (const char* ns : {"default", "shop", "payments", "kube-system", "team-a", "team-b"})
    for (int index = 0; index < 4; ++index)
      if (Shard{index, 4}.owns(ns)) owners += std::to_string(index);
  CHECK(owners == "331111");
}

TEST_CASE("objects go with their namespace, the rest with the first shard", "[shard]") {
  for (int index = 0; index < 4; ++index) {
    const Shard shard{index, 4};
    CHECK(shard.owns(ObjectKey{"", "Service", "shop", "till"}) == shard.owns("shop"));
    CHECK(shard.owns(ObjectKey{"", "Namespace", "", "shop"}) == shard.owns("shop"));
    CHECK(shard.owns(ObjectKey{"apiextensions.k8s.io", "CustomResourceDefinition", "", "x"}) == (index == 0));
  }
  CHECK(Shard{}.owns("anything"));
}

TEST_CASE("a shard is written as index and count", "[shard]") {
  CHECK(*parse_shard("0/1") == Shard{});
  CHECK(*parse_shard("2/3") == Shard{2, 3});
  for (const char* wrong : {"", "1", "/", "1/", "/2", "3/3", "-1/2", "a/b", "0/0", "1/2/3", "0/1000", " 0/1"}) {
    INFO(wrong);
    CHECK_FALSE(parse_shard(wrong));
  }
}
