// A fragment in the making: crews put in what their steps gave, and when the last of them has
// filled it, it becomes the message that is sent. Its memory is used again and again.
//
// Crews own disjoint rows, so CopyRows needs no lock; the rest is one thread at a time.
#ifndef HIVEWIRE_SERVER_ROLLOUT_FRAGMENT_BUFFER_H_
#define HIVEWIRE_SERVER_ROLLOUT_FRAGMENT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "hivewire/v1/rollout.pb.h"
#include "server/rollout/crew.h"

namespace hivewire {

class FragmentBuffer {
 public:
  // For lanes first … first + num_lanes − 1. `setting` outlives it.
  FragmentBuffer(const CrewSetting& setting, uint32_t first, size_t num_lanes);

  // Rows, last observations and their values, of a crew that has not yet cleared them.
  void CopyRows(const Crew& crew);
  // Episodes, finals, faults. True where the crew has filled its part.
  bool AddEvents(const Crew& crew);

  // What was filled, complete.
  const v1::CollectResponse& Finish();
  void Clear();

 private:
  struct Final {
    uint64_t row;
    float value;
    size_t bytes;  // where its row begins in final_rows_
  };

  void FinishFinals();

  const CrewSetting& setting_;
  const uint32_t first_;
  const size_t num_lanes_;
  std::vector<size_t> payload_offsets_, last_offsets_;
  v1::CollectResponse response_;
  struct Ended {
    uint64_t row;
    v1::Episode episode;
  };
  std::vector<Ended> ended_;  // the first num_ended_; the others keep their memory
  size_t num_ended_ = 0;
  std::vector<size_t> order_;
  std::vector<Final> finals_;
  std::unique_ptr<v1::Finals> spare_finals_;  // where the last fragment had none
  std::vector<size_t> finals_offsets_;
  std::vector<char> final_rows_;
  std::vector<StagedSteps::Fault> faults_;  // by lane of the fragment
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_ROLLOUT_FRAGMENT_BUFFER_H_
