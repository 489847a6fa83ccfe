#include "base/layout.h"

#include <gtest/gtest.h>

namespace hivewire {
namespace {

v1::Layout TwoLeaves() {
  v1::Layout layout;
  v1::LeafSpec observation;
  observation.set_name("observation");
  observation.set_dtype(v1::DTYPE_FLOAT64);
  observation.add_shape(3);
  *layout.add_leaves() = MakeLayoutLeaf(observation, v1::LEAF_ROLE_OBSERVATION);
  *layout.add_leaves() = MakeLayoutLeaf("flags", v1::LEAF_ROLE_FLAGS, v1::DTYPE_UINT8);
  return layout;
}

TEST(PayloadLayout, SlabsBeginAtMultiplesOf64AndTheLastOneEndsUnrounded) {
  const PayloadLayout layout(TwoLeaves());
  EXPECT_EQ(layout.Offset(0, 3), 0u);
  EXPECT_EQ(layout.Offset(1, 3), 128u);  // 3 rows × 24 bytes = 72
  EXPECT_EQ(layout.PayloadBytes(3), 131u);
  std::vector<size_t> offsets;
  layout.Offsets(8, offsets);
  EXPECT_EQ(offsets, (std::vector<size_t>{0, 192}));
}

TEST(PayloadLayout, MaxRowsIsTheLargestThatFits) {
  const PayloadLayout layout(TwoLeaves());
  for (const size_t limit : {24u, 65u, 131u, 1000u, 100000u}) {
    const size_t rows = layout.MaxRows(limit);
    EXPECT_LE(rows == 0 ? 0 : layout.PayloadBytes(rows), limit);
    EXPECT_GT(layout.PayloadBytes(rows + 1), limit);
  }
  EXPECT_EQ(layout.MaxRows(24), 0u);
}

TEST(LayoutHash, ChangesWithEachThingThatItCovers) {
  v1::Layout base = TwoLeaves();
  SetLayoutHash("mujoco-3.17.0", "2026", base);
  v1::Layout again = TwoLeaves();
  SetLayoutHash("mujoco-3.17.0", "2026", again);
  EXPECT_EQ(base.hash(), again.hash());

  v1::Layout other = TwoLeaves();
  SetLayoutHash("mujoco-3.18.0", "2026", other);
  EXPECT_NE(base.hash(), other.hash());
  other = TwoLeaves();
  other.mutable_leaves(0)->set_dtype(v1::DTYPE_FLOAT32);
  SetLayoutHash("mujoco-3.17.0", "2026", other);
  EXPECT_NE(base.hash(), other.hash());
  other = TwoLeaves();
  other.mutable_leaves(0)->set_shape(0, 4);
  SetLayoutHash("mujoco-3.17.0", "2026", other);
  EXPECT_NE(base.hash(), other.hash());
}

}  // namespace
}  // namespace hivewire
