#include "client/action_sampler.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/layout.h"

namespace hivewire {
namespace {

v1::EnvSpec SpecWith(v1::DType dtype, const std::vector<double>& low,
                     const std::vector<double>& high, int64_t cardinality = 0) {
  v1::EnvSpec spec;
  v1::LeafSpec& leaf = *spec.add_action();
  leaf.set_name("action");
  leaf.set_dtype(dtype);
  if (cardinality == 0) leaf.add_shape(2);
  leaf.mutable_low()->Add(low.begin(), low.end());
  leaf.mutable_high()->Add(high.begin(), high.end());
  leaf.set_start(cardinality > 0 ? 3 : 0);
  leaf.set_cardinality(cardinality);
  return spec;
}

template <typename T>
std::vector<T> Sample(ActionSampler::Kind kind, const v1::EnvSpec& spec, uint64_t seed, int rows) {
  const std::vector<v1::LayoutLeaf> sent = {MakeLayoutLeaf(spec.action(0), v1::LEAF_ROLE_ACTION)};
  std::string bytes;
  ActionSampler(kind, spec, sent, seed).Sample(rows, bytes);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(ActionSampler, RandomActionsStayBetweenEachElementsBounds) {
  const v1::EnvSpec spec = SpecWith(v1::DTYPE_FLOAT32, {-1, 5}, {1, 7});
  const auto values = Sample<float>(ActionSampler::Kind::kRandom, spec, 1, 1000);
  ASSERT_EQ(values.size(), 2000u);
  double sums[2] = {0, 0};
  for (size_t k = 0; k < values.size(); ++k) {
    EXPECT_GE(values[k], k % 2 == 0 ? -1 : 5);
    EXPECT_LE(values[k], k % 2 == 0 ? 1 : 7);
    sums[k % 2] += values[k];
  }
  EXPECT_NEAR(sums[0] / 1000, 0, 0.1);
  EXPECT_NEAR(sums[1] / 1000, 6, 0.1);
}

TEST(ActionSampler, DiscreteActionsTakeEveryValue) {
  const v1::EnvSpec spec = SpecWith(v1::DTYPE_INT64, {}, {}, /*cardinality=*/3);
  std::vector<int> counts(3);
  for (const int64_t value : Sample<int64_t>(ActionSampler::Kind::kRandom, spec, 1, 300)) {
    ASSERT_GE(value, 3);
    ASSERT_LE(value, 5);
    ++counts[static_cast<size_t>(value - 3)];
  }
  for (const int count : counts) EXPECT_GT(count, 50);
}

TEST(ActionSampler, SameSeedGivesSameActions) {
  const v1::EnvSpec spec = SpecWith(v1::DTYPE_FLOAT64, {}, {});
  const auto sample = [&](uint64_t seed) {
    return Sample<double>(ActionSampler::Kind::kRandom, spec, seed, 4);
  };
  EXPECT_EQ(sample(7), sample(7));
  EXPECT_NE(sample(7), sample(8));
}

TEST(ActionSampler, ZeroIsTheAllowedValueNextToZero) {
  const v1::EnvSpec spec = SpecWith(v1::DTYPE_FLOAT32, {-1, 5}, {1, 7});
  EXPECT_EQ(Sample<float>(ActionSampler::Kind::kZero, spec, 1, 1), (std::vector<float>{0, 5}));
}

}  // namespace
}  // namespace hivewire
