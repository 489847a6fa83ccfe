// The files of one run, OUTPUT/ENV__NAME__SEED__DATE:
//
//   config.textproto     the whole configuration
//   checkpoints/         see checkpoint/checkpoint.h
//   events.out.tfevents… for TensorBoard
//   progress.csv         a row an update
//   evaluation.json      the last evaluation
//   learning_curve.svg
//   videos/              an episode each, named by frames as checkpoints are
#ifndef HIVEWIRE_POLICY_RUN_FOLDER_H_
#define HIVEWIRE_POLICY_RUN_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/learner.pb.h"

namespace hivewire {

class RunFolder {
 public:
  // Makes a new folder, at `path` or, where that is empty, at config's output folder under the
  // run's id. ALREADY_EXISTS for a `path` that has a run in it.
  static absl::StatusOr<RunFolder> Create(const v1::LearnerConfig& config, const std::string& path);
  // One that is there; NOT_FOUND where it is no run's.
  static absl::StatusOr<RunFolder> Open(const std::string& path);

  const std::string& path() const { return path_; }
  // Its last component.
  std::string id() const;
  std::string config_file() const { return path_ + "/config.textproto"; }
  std::string checkpoints() const { return path_ + "/checkpoints"; }
  std::string progress_csv() const { return path_ + "/progress.csv"; }
  std::string evaluation_json() const { return path_ + "/evaluation.json"; }
  std::string learning_curve() const { return path_ + "/learning_curve.svg"; }
  // Of the policy at so many frames; the folder may not be there yet.
  std::string videos() const { return path_ + "/videos"; }
  std::string video(int64_t frames) const;

  absl::Status WriteConfig(const v1::LearnerConfig& config) const;

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RUN_FOLDER_H_
