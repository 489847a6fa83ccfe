// Whatever a client sends on a session: frames, each preceded by its length (two bytes,
// little-endian), given to a pool as the session gives them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "hivewire/v1/session.pb.h"
#include "server/pool/pool.h"
#include "server/pool/testing/faulty_task.h"

namespace hivewire {
namespace {

std::unique_ptr<Pool> MakePool(Workers& workers) {
  v1::CreatePoolRequest request;
  request.set_num_envs(3);
  request.set_autoreset_mode(v1::AUTORESET_MODE_SAME_STEP);
  return *Pool::Create(*PoolSpec::Make(MakeFaultyTask(5), request), workers);
}

void Submit(Pool& pool, v1::ClientFrame frame) {
  if (frame.has_step()) pool.Step(std::move(*frame.mutable_step())).IgnoreError();
  if (frame.has_reset()) pool.Reset(frame.reset()).IgnoreError();
  if (frame.has_load()) pool.Load(frame.load()).IgnoreError();
}

}  // namespace
}  // namespace hivewire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hivewire;
  static Workers* const workers = new Workers(1);
  const std::unique_ptr<Pool> pool = MakePool(*workers);
  uint64_t seq = 0;
  v1::Batch batch;
  while (size >= 2) {
    const size_t length = std::min<size_t>(data[0] + 256u * data[1], size - 2);
    v1::ClientFrame frame;
    if (frame.ParseFromArray(data + 2, static_cast<int>(length))) Submit(*pool, frame);
    data += 2 + length;
    size -= 2 + length;
    v1::Attached lanes;
    pool->DescribeLanes(lanes);
    // Every accepted operation is answered.
    while (lanes.outstanding_size() > 0) {
      if (!pool->Next(absl::Now() + absl::Minutes(1), ++seq, batch).ok()) abort();
      lanes.Clear();
      pool->DescribeLanes(lanes);
    }
    while (pool->Next(absl::InfinitePast(), ++seq, batch).ok()) {
    }
  }
  return 0;
}
