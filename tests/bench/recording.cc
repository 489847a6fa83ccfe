#include "tests/bench/recording.h"

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

void Put(std::ostream& out, int64_t value) {
  out.write(reinterpret_cast<const char*>(&value), sizeof(value));
}

void Put(std::ostream& out, const std::vector<double>& values) {
  Put(out, static_cast<int64_t>(values.size()));
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(double)));
}

int64_t Number(std::istream& in) {
  int64_t value = 0;
  in.read(reinterpret_cast<char*>(&value), sizeof(value));
  return in ? value : 0;
}

std::vector<double> Doubles(std::istream& in) {
  std::vector<double> values(static_cast<size_t>(Number(in)));
  in.read(reinterpret_cast<char*>(values.data()),
          static_cast<std::streamsize>(values.size() * sizeof(double)));
  return values;
}

}  // namespace

absl::Status WriteRecording(const Recording& recording, const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  out << recording.model << '\n';
  Put(out, recording.engine_version);
  Put(out, recording.frame_skip);
  Put(out, recording.needs_contact_forces);
  Put(out, recording.num_lanes);
  Put(out, recording.num_steps);
  Put(out, static_cast<int64_t>(recording.action_elements));
  for (const std::vector<double>& step : recording.controls) Put(out, step);
  Put(out, static_cast<int64_t>(recording.segments.size()));
  for (const Segment& segment : recording.segments) {
    Put(out, segment.lane);
    Put(out, segment.begins_episode);
    Put(out, segment.first_step);
    Put(out, segment.num_steps);
    Put(out, segment.start);
    Put(out, segment.end);
  }
  out.flush();
  if (!out) return absl::UnavailableError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

absl::StatusOr<Recording> ReadRecording(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  Recording recording;
  std::getline(in, recording.model);
  recording.engine_version = static_cast<int>(Number(in));
  recording.frame_skip = static_cast<int>(Number(in));
  recording.needs_contact_forces = Number(in) != 0;
  recording.num_lanes = static_cast<int>(Number(in));
  recording.num_steps = static_cast<int>(Number(in));
  recording.action_elements = static_cast<size_t>(Number(in));
  for (int step = 0; step < recording.num_steps; ++step) recording.controls.push_back(Doubles(in));
  for (int64_t left = Number(in); left > 0; --left) {
    Segment segment;
    segment.lane = static_cast<uint32_t>(Number(in));
    segment.begins_episode = Number(in) != 0;
    segment.first_step = static_cast<int>(Number(in));
    segment.num_steps = static_cast<int>(Number(in));
    segment.start = Doubles(in);
    segment.end = Doubles(in);
    recording.segments.push_back(std::move(segment));
  }
  if (!in || recording.segments.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no recording"));
  }
  return recording;
}

}  // namespace hivewire
