#include "policy/track/event_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "policy/checkpoint/crc32c.h"
#include "policy/track/histogram.h"

namespace hivewire {
namespace {

constexpr int kTensorFlowString = 7;
constexpr int kRgb = 3;

tensorboard::Event Now(int64_t step) {
  tensorboard::Event event;
  event.set_wall_time(absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()));
  event.set_step(step);
  return event;
}

template <typename Integer>
void AppendInteger(Integer value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

std::string TfRecord(absl::string_view data) {
  std::string record;
  record.reserve(data.size() + 16);
  AppendInteger(static_cast<uint64_t>(data.size()), record);
  AppendInteger(MaskedCrc32c(record), record);
  record.append(data.data(), data.size());
  AppendInteger(MaskedCrc32c(data), record);
  return record;
}

EventWriter::EventWriter(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

EventWriter::~EventWriter() { std::fclose(file_); }

absl::StatusOr<std::unique_ptr<EventWriter>> EventWriter::Create(const std::string& folder) {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  // The process id keeps two files of one second apart; TensorBoard only looks for "tfevents".
  std::string path = absl::StrCat(folder, "/events.out.tfevents.", absl::ToUnixSeconds(absl::Now()),
                                  ".", host, ".", getpid());
  std::FILE* file = std::fopen(path.c_str(), "abe");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  // Each record is one write, or the part of one that the disk has room for.
  std::setvbuf(file, nullptr, _IONBF, 0);
  std::unique_ptr<EventWriter> writer(new EventWriter(std::move(path), file));
  tensorboard::Event version = Now(0);
  version.set_file_version("brain.Event:2");
  if (absl::Status status = writer->Write(version); !status.ok()) return status;
  return writer;
}

absl::Status EventWriter::AddScalars(int64_t step, absl::Span<const Statistic> scalars) {
  tensorboard::Event event = Now(step);
  for (const Statistic& scalar : scalars) {
    tensorboard::Summary::Value* value = event.mutable_summary()->add_value();
    value->set_tag(scalar.tag);
    value->set_simple_value(static_cast<float>(scalar.value));
  }
  return Write(event);
}

absl::Status EventWriter::AddText(int64_t step, const std::string& tag, const std::string& text) {
  tensorboard::Event event = Now(step);
  tensorboard::Summary::Value* value = event.mutable_summary()->add_value();
  value->set_tag(tag + "/text_summary");
  value->mutable_metadata()->mutable_plugin_data()->set_plugin_name("text");
  value->mutable_tensor()->set_dtype(kTensorFlowString);
  value->mutable_tensor()->mutable_shape()->add_dim()->set_size(1);
  value->mutable_tensor()->add_string_val(text);
  return Write(event);
}

absl::Status EventWriter::AddHistogram(int64_t step, const std::string& tag,
                                       absl::Span<const double> values) {
  const Histogram histogram = MakeHistogram(values);
  if (histogram.counts.empty()) return absl::OkStatus();
  tensorboard::Event event = Now(step);
  tensorboard::Summary::Value* value = event.mutable_summary()->add_value();
  value->set_tag(tag);
  tensorboard::Histogram* histo = value->mutable_histo();
  histo->set_min(histogram.edges.front());
  histo->set_max(histogram.edges.back());
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    histo->add_bucket_limit(histogram.edges[i + 1]);
    histo->add_bucket(histogram.counts[i]);
  }
  for (const double number : values) {
    if (!std::isfinite(number)) continue;
    histo->set_num(histo->num() + 1);
    histo->set_sum(histo->sum() + number);
    histo->set_sum_squares(histo->sum_squares() + number * number);
  }
  return Write(event);
}

absl::Status EventWriter::AddGif(int64_t step, const std::string& tag, const Gif& gif) {
  tensorboard::Event event = Now(step);
  tensorboard::Summary::Value* value = event.mutable_summary()->add_value();
  value->set_tag(tag);
  value->mutable_image()->set_height(gif.height);
  value->mutable_image()->set_width(gif.width);
  value->mutable_image()->set_colorspace(kRgb);
  value->mutable_image()->set_encoded_image_string(gif.bytes.data(), gif.bytes.size());
  return Write(event);
}

absl::Status EventWriter::Write(const tensorboard::Event& event) {
  const std::string record = TfRecord(event.SerializeAsString());
  if (std::fwrite(record.data(), 1, record.size(), file_) != record.size()) {
    const int error = errno;
    std::clearerr(file_);
    // Readers stop at half a record: what comes later is not to stand behind it.
    if (ftruncate(fileno(file_), size_) != 0) size_ = 0;
    return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path_));
  }
  size_ += static_cast<off_t>(record.size());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Tracker>> MakeTensorBoardTracker(const TrackedRun& run) {
  return EventWriter::Create(run.folder);
}

}  // namespace hivewire
