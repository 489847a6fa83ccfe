// A Layout from the other side, and what is computed from it.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/layout.h"

namespace {

constexpr size_t kMaxRowBytes = 1 << 20;
constexpr size_t kRows[] = {0, 1, 3, 64, 1000};

void Require(bool holds) {
  if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hivewire;
  v1::Layout layout;
  if (!layout.ParseFromArray(data, static_cast<int>(size))) return 0;
  SetLayoutHash("engine", "edition", layout);
  v1::Layout again = layout;
  SetLayoutHash("engine", "edition", again);
  Require(layout.hash() == again.hash());
  bool sane = layout.leaves_size() < 1000;
  for (const v1::LayoutLeaf& leaf : layout.leaves()) {
    NumElements(leaf.shape());
    SizeOf(leaf.dtype());
    sane = sane && leaf.row_bytes() <= kMaxRowBytes;
  }
  const PayloadLayout payload(layout);
  for (const size_t rows : kRows) {
    std::vector<size_t> offsets;
    payload.Offsets(rows, offsets);
    const size_t bytes = payload.PayloadBytes(rows);
    if (!sane) continue;
    size_t end = 0;
    for (size_t leaf = 0; leaf < offsets.size(); ++leaf) {
      Require(offsets[leaf] % 64 == 0 && offsets[leaf] >= end);
      Require(offsets[leaf] == payload.Offset(leaf, rows));
      end = offsets[leaf] + rows * payload.row_bytes(leaf);
    }
    Require(bytes == end);
  }
  return 0;
}
