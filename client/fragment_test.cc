#include "client/fragment.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/layout.h"

namespace hivewire {
namespace {

constexpr uint32_t kLength = 3;
constexpr uint32_t kLanes = 2;

v1::LayoutLeaf Leaf(const std::string& name, v1::LeafRole role, v1::DType dtype,
                    std::vector<int64_t> shape = {}) {
  v1::LeafSpec spec;
  spec.set_name(name);
  spec.set_dtype(dtype);
  spec.mutable_shape()->Assign(shape.begin(), shape.end());
  return MakeLayoutLeaf(spec, role);
}

v1::PoolDescription Pool() {
  v1::PoolDescription pool;
  pool.set_num_envs(4);
  *pool.mutable_final_layout()->add_leaves() =
      Leaf("state", v1::LEAF_ROLE_OBSERVATION, v1::DTYPE_FLOAT64, {2});
  *pool.mutable_final_layout()->add_leaves() =
      Leaf("energy", v1::LEAF_ROLE_INFO, v1::DTYPE_FLOAT64);
  return pool;
}

// Element k of leaf i is 100 i + k.
std::string Numbers(const v1::Layout& layout, size_t rows) {
  const PayloadLayout offsets(layout);
  std::string payload(offsets.PayloadBytes(rows), '\0');
  for (int i = 0; i < layout.leaves_size(); ++i) {
    const v1::LayoutLeaf& leaf = layout.leaves(i);
    char* at = payload.data() + offsets.Offset(static_cast<size_t>(i), rows);
    const size_t elements = rows * NumElements(leaf.shape());
    for (size_t k = 0; k < elements; ++k) {
      const auto put = [&](auto number) {
        std::memcpy(at + k * sizeof(number), &number, sizeof(number));
      };
      const double number = 100.0 * i + static_cast<double>(k);
      if (leaf.dtype() == v1::DTYPE_FLOAT64) put(number);
      if (leaf.dtype() == v1::DTYPE_FLOAT32) put(static_cast<float>(number));
      if (leaf.dtype() == v1::DTYPE_UINT64) put(static_cast<uint64_t>(number));
      if (leaf.dtype() == v1::DTYPE_UINT8) put(static_cast<uint8_t>(number));
    }
  }
  return payload;
}

v1::Fragment Message() {
  v1::Fragment fragment;
  fragment.add_env_ids(3);
  fragment.add_env_ids(1);
  fragment.set_length(kLength);
  v1::Layout& layout = *fragment.mutable_layout();
  *layout.add_leaves() = Leaf("state", v1::LEAF_ROLE_OBSERVATION, v1::DTYPE_FLOAT64, {2});
  *layout.add_leaves() = Leaf("action", v1::LEAF_ROLE_ACTION, v1::DTYPE_FLOAT32, {3});
  *layout.add_leaves() = Leaf("log_prob", v1::LEAF_ROLE_LOG_PROB, v1::DTYPE_FLOAT32);
  *layout.add_leaves() = Leaf("value", v1::LEAF_ROLE_VALUE, v1::DTYPE_FLOAT32);
  *layout.add_leaves() = Leaf("reward", v1::LEAF_ROLE_REWARD, v1::DTYPE_FLOAT64);
  *layout.add_leaves() = Leaf("flags", v1::LEAF_ROLE_FLAGS, v1::DTYPE_UINT8);
  *layout.add_leaves() = Leaf("policy_version", v1::LEAF_ROLE_POLICY_VERSION, v1::DTYPE_UINT64);
  fragment.set_payload(Numbers(layout, kLength * kLanes));
  fragment.set_last_observation(Numbers(Pool().final_layout(), kLanes));
  fragment.mutable_finals()->add_rows(4);
  fragment.mutable_finals()->set_payload(Numbers(Pool().final_layout(), 1));
  const float values[] = {0.25f, 0.5f, 0.75f};
  fragment.set_bootstrap_values(values, sizeof(values));
  return fragment;
}

TEST(Fragment, GivesEveryLeafAsAViewOfTheMessage) {
  auto parsed = Fragment::Parse(Message(), Pool());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const Fragment fragment = *std::move(parsed);  // views hold over a move
  EXPECT_EQ(fragment.length(), kLength);
  EXPECT_EQ(fragment.env_ids(), (std::vector<uint32_t>{3, 1}));
  ASSERT_EQ(fragment.observations().size(), 1u);
  EXPECT_EQ(fragment.observations()[0].num_rows, kLength * kLanes);
  EXPECT_EQ(fragment.observations()[0].as<double>()[11], 11);
  ASSERT_EQ(fragment.actions().size(), 1u);
  EXPECT_EQ(fragment.actions()[0].as<float>()[17], 117);
  EXPECT_EQ(fragment.log_probs()[5], 205);
  EXPECT_EQ(fragment.values()[5], 305);
  EXPECT_EQ(fragment.rewards()[5], 405);
  EXPECT_EQ(fragment.flags()[1], static_cast<uint8_t>(501));
  EXPECT_EQ(fragment.policy_versions()[5], 605u);
  ASSERT_EQ(fragment.last_observations().size(), 1u);
  EXPECT_EQ(fragment.last_observations()[0].as<double>()[3], 3);
  EXPECT_EQ(fragment.last_values(), (std::vector<float>{0.25f, 0.5f}));
  EXPECT_EQ(fragment.final_rows(), (std::vector<uint32_t>{4}));
  EXPECT_EQ(fragment.final_values(), (std::vector<float>{0.75f}));
  EXPECT_TRUE(fragment.policy_status().ok());
}

TEST(Fragment, ShowsWhatThePoolShows) {
  // In itself it is whole, but there is more to it than the last observation's place.
  v1::Fragment message = Message();
  message.mutable_layout()->mutable_leaves(0)->set_shape(0, 10000);
  message.mutable_layout()->mutable_leaves(0)->set_row_bytes(80000);
  message.set_payload(Numbers(message.layout(), kLength * kLanes));
  const auto parsed = Fragment::Parse(message, Pool());
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(parsed.status().message(), "are not the pool's"))
      << parsed.status();
}

TEST(Fragment, NeedsNoCritic) {
  v1::Fragment message = Message();
  message.mutable_layout()->mutable_leaves()->DeleteSubrange(3, 1);
  message.set_payload(Numbers(message.layout(), kLength * kLanes));
  message.clear_bootstrap_values();
  const auto fragment = Fragment::Parse(message, Pool());
  ASSERT_TRUE(fragment.ok()) << fragment.status();
  EXPECT_TRUE(fragment->values().empty());
  EXPECT_TRUE(fragment->last_values().empty());
}

TEST(Fragment, RefusesWhatIsNotAsItSaysAndNamesTheField) {
  const auto refused = [](const std::string& field,
                          const std::function<void(v1::Fragment&)>& forge) {
    v1::Fragment message = Message();
    forge(message);
    const auto fragment = Fragment::Parse(message, Pool());
    EXPECT_EQ(fragment.status().code(), absl::StatusCode::kDataLoss) << field;
    EXPECT_TRUE(absl::StrContains(fragment.status().message(), "fragment." + field))
        << fragment.status();
  };
  refused("length", [](v1::Fragment& m) { m.set_length(0); });
  refused("payload", [](v1::Fragment& m) { m.set_length(4); });
  refused("payload", [](v1::Fragment& m) { m.set_length(UINT32_MAX); });
  refused("payload", [](v1::Fragment& m) { m.mutable_payload()->pop_back(); });
  refused("env_ids", [](v1::Fragment& m) { m.clear_env_ids(); });
  refused("env_ids", [](v1::Fragment& m) { m.set_env_ids(0, 4); });
  refused("env_ids", [](v1::Fragment& m) { m.set_env_ids(0, 1); });
  refused("layout", [](v1::Fragment& m) {
    m.mutable_layout()->mutable_leaves(0)->set_row_bytes(UINT64_MAX);
  });
  refused("layout", [](v1::Fragment& m) {
    m.mutable_layout()->mutable_leaves(0)->add_shape(int64_t{1} << 39);
    m.mutable_layout()->mutable_leaves(0)->add_shape(int64_t{1} << 39);
  });
  refused("layout", [](v1::Fragment& m) {
    m.mutable_layout()->mutable_leaves(4)->set_dtype(v1::DTYPE_INT64);
  });
  refused("layout", [](v1::Fragment& m) {
    m.mutable_layout()->mutable_leaves(2)->set_role(v1::LEAF_ROLE_INFO);
  });
  refused("last_observation", [](v1::Fragment& m) { m.clear_last_observation(); });
  refused("finals.rows", [](v1::Fragment& m) { m.mutable_finals()->set_rows(0, 6); });
  refused("finals.payload", [](v1::Fragment& m) { m.mutable_finals()->clear_payload(); });
  refused("bootstrap_values", [](v1::Fragment& m) { m.mutable_bootstrap_values()->resize(8); });
}

}  // namespace
}  // namespace hivewire
