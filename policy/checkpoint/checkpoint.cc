#include "policy/checkpoint/checkpoint.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/textproto.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint/safetensors.h"

namespace hivewire {
namespace {

constexpr char kState[] = "hivewire.state";
constexpr char kExtension[] = ".safetensors";

Safetensors AsSafetensors(const Checkpoint& checkpoint) {
  Safetensors file;
  file.tensors = checkpoint.tensors;
  google::protobuf::TextFormat::PrintToString(checkpoint.state, &file.metadata[kState]);
  return file;
}

absl::StatusOr<Checkpoint> FromSafetensors(absl::StatusOr<Safetensors> file,
                                           const std::string& path) {
  if (!file.ok()) return file.status();
  if (!file->checked) {
    return absl::DataLossError(absl::StrCat(path, " is no checkpoint, or damaged: no checksum"));
  }
  const auto state = file->metadata.find(kState);
  if (state == file->metadata.end()) {
    return absl::DataLossError(
        absl::StrCat(path, " is no checkpoint: its metadata has no \"", kState, "\""));
  }
  Checkpoint checkpoint;
  absl::Status status =
      TextprotoFile::Parse(absl::StrCat(path, ": ", kState), state->second, checkpoint.state)
          .status();
  if (!status.ok()) return absl::DataLossError(status.message());
  checkpoint.tensors = std::move(file->tensors);
  return checkpoint;
}

}  // namespace

absl::StatusOr<std::string> EncodeCheckpoint(const Checkpoint& checkpoint) {
  return EncodeSafetensors(AsSafetensors(checkpoint));
}

absl::StatusOr<Checkpoint> DecodeCheckpoint(const std::string& bytes, const std::string& name) {
  return FromSafetensors(DecodeSafetensors(bytes, name), name);
}

absl::Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
  return WriteSafetensors(path, AsSafetensors(checkpoint));
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  return FromSafetensors(ReadSafetensors(path), path);
}

std::string CheckpointFolder::PathOf(int64_t frames) const {
  return absl::StrFormat("%s/%012d%s", folder_, frames, kExtension);
}

std::vector<int64_t> CheckpointFolder::List() const {
  std::vector<int64_t> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    int64_t frames = 0;
    if (entry.path().extension() == kExtension &&
        absl::SimpleAtoi(entry.path().stem().string(), &frames)) {
      all.push_back(frames);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

absl::Status CheckpointFolder::Save(const Checkpoint& checkpoint, int keep) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    return absl::UnknownError(absl::StrCat("cannot make ", folder_, ": ", error.message()));
  }
  absl::Status status = WriteCheckpoint(PathOf(checkpoint.state.frames()), checkpoint);
  if (!status.ok()) return status;
  const std::vector<int64_t> all = List();
  for (size_t i = 0; i + keep < all.size(); ++i) {
    // A newer one of an abandoned continuation is not removed in place of ours.
    if (all[i] != checkpoint.state.frames()) std::filesystem::remove(PathOf(all[i]), error);
  }
  return absl::OkStatus();
}

absl::Status CheckpointFolder::MarkBest(int64_t frames) {
  return LinkAtomically(PathOf(frames), absl::StrCat(folder_, "/best", kExtension));
}

std::vector<std::string> CheckpointFolder::All() const {
  std::vector<std::string> numbered;
  for (const int64_t frames : List()) numbered.push_back(PathOf(frames));
  std::vector<std::string> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() != kExtension) continue;
    const bool known = std::any_of(numbered.begin(), numbered.end(), [&](const std::string& path) {
      return std::filesystem::equivalent(path, entry.path(), error);
    });
    if (!known) all.push_back(entry.path().string());
  }
  std::sort(all.begin(), all.end());
  all.insert(all.end(), numbered.begin(), numbered.end());
  return all;
}

absl::StatusOr<std::string> CheckpointFolder::Find(absl::string_view which) const {
  const std::vector<int64_t> all = List();
  const std::string best = absl::StrCat(folder_, "/best", kExtension);
  const bool has_best = std::filesystem::exists(best);
  int64_t frames = 0;
  if (which == "last" && !all.empty()) return PathOf(all.back());
  if (which == "best" && has_best) return best;
  if (absl::SimpleAtoi(which, &frames) && std::binary_search(all.begin(), all.end(), frames)) {
    return PathOf(frames);
  }
  if (all.empty() && !has_best) {
    return absl::NotFoundError(absl::StrCat("no checkpoint in ", folder_));
  }
  return absl::NotFoundError(absl::StrCat("no checkpoint \"", which, "\" in ", folder_,
                                          "; there are ", has_best ? "best, last, " : "last, ",
                                          absl::StrJoin(all, ", ")));
}

}  // namespace hivewire
