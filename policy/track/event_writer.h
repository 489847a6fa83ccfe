// Writes TensorBoard's event files: scalars, text, histograms and animated images, as TFRecords.
//
// One file a process that writes into the run folder; a resumed run adds another. Not thread-safe.
#ifndef HIVEWIRE_POLICY_TRACK_EVENT_WRITER_H_
#define HIVEWIRE_POLICY_TRACK_EVENT_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "policy/algorithm.h"
#include "policy/track/tracker.h"
#include "tensorboard/event.pb.h"

namespace hivewire {

class EventWriter : public Tracker {
 public:
  // Makes events.out.tfevents.TIME.HOST in `folder`.
  static absl::StatusOr<std::unique_ptr<EventWriter>> Create(const std::string& folder);

  ~EventWriter() override;

  // Each is on the disk when it returns, or, where it could not be written, nothing of it is.
  absl::Status AddScalars(int64_t step, absl::Span<const Statistic> scalars) override;
  absl::Status AddText(int64_t step, const std::string& tag, const std::string& text) override;
  absl::Status AddHistogram(int64_t step, const std::string& tag,
                            absl::Span<const double> values) override;
  absl::Status AddGif(int64_t step, const std::string& tag, const Gif& gif) override;

 private:
  EventWriter(std::string path, std::FILE* file);

  absl::Status Write(const tensorboard::Event& event);

  std::string path_;
  std::FILE* file_;
  off_t size_ = 0;  // of whole records
};

// An EventWriter for the run folder.
absl::StatusOr<std::unique_ptr<Tracker>> MakeTensorBoardTracker(const TrackedRun& run);

// One TFRecord: length, its masked checksum, the data, its masked checksum.
std::string TfRecord(absl::string_view data);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_EVENT_WRITER_H_
