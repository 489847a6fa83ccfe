#include "policy/track/wandb_tracker.h"

#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/version.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/track/histogram.h"
#include "policy/track/wandb_log.h"
#include "wandb/record.pb.h"

namespace hivewire {
namespace {

// The oldest wandb that reads such a file.
constexpr char kMinConsumer[] = "0.10.0";
constexpr int kMedia = 2;

void AddItem(const std::string& key, const std::string& json, wandb::Item& item) {
  item.set_key(key);
  item.set_value_json(json);
}

// The configuration's fields, those of messages as objects.
void AddConfig(const v1::LearnerConfig& config, wandb::ConfigRecord& record) {
  google::protobuf::util::JsonPrintOptions style;
  style.preserve_proto_field_names = true;
  const google::protobuf::Reflection& reflection = *config.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(config, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->is_repeated()) continue;
    std::string json;
    if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!google::protobuf::util::MessageToJsonString(reflection.GetMessage(config, field), &json,
                                                       style)
               .ok()) {
        continue;
      }
    } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
      json = JsonString(reflection.GetString(config, field));
    } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_UINT64) {
      json = absl::StrCat(reflection.GetUInt64(config, field));
    } else {
      json = absl::StrCat(reflection.GetInt32(config, field));
    }
    AddItem(field->name(), json, *record.add_update());
  }
}

// Rows are kept until the next step begins: all of one step is one row.
class WandbTracker : public Tracker {
 public:
  WandbTracker(std::string folder, std::unique_ptr<WandbLog> log)
      : folder_(std::move(folder)), log_(std::move(log)), started_(absl::Now()) {}

  absl::Status Begin(const TrackedRun& run, bool resumed) {
    wandb::Record header;
    header.mutable_header()->mutable_version_info()->set_producer(std::string(kVersion));
    header.mutable_header()->mutable_version_info()->set_min_consumer(kMinConsumer);
    wandb::Record record;
    wandb::RunRecord& of_run = *record.mutable_run();
    of_run.set_run_id(run.id);
    of_run.set_display_name(run.id);
    of_run.set_project(run.config.output().wandb_project());
    of_run.set_run_group(absl::StrCat(run.config.env().id(), "__", run.config.name()));
    of_run.set_job_type("train");
    of_run.set_resumed(resumed);
    of_run.set_starting_step(run.frames);
    of_run.mutable_start_time()->set_seconds(absl::ToUnixSeconds(started_));
    char host[256] = "localhost";
    gethostname(host, sizeof(host) - 1);
    of_run.set_host(host);
    AddConfig(run.config, *of_run.mutable_config());
    if (absl::Status status = Write(header); !status.ok()) return status;
    return Write(record);
  }

  absl::Status AddScalars(int64_t step, absl::Span<const Statistic> scalars) override {
    const absl::Status status = GoTo(step);
    for (const Statistic& scalar : scalars) row_[scalar.tag] = JsonNumber(scalar.value);
    return status;
  }

  absl::Status AddHistogram(int64_t step, const std::string& tag,
                            absl::Span<const double> values) override {
    const absl::Status status = GoTo(step);
    const Histogram histogram = MakeHistogram(values);
    if (histogram.counts.empty()) return status;
    row_[tag] = JsonObject()
                    .Add("_type", "histogram")
                    .AddRaw("values", JsonList(histogram.counts))
                    .AddRaw("bins", JsonList(histogram.edges))
                    .ToString();
    return status;
  }

  absl::Status AddGif(int64_t step, const std::string& tag, const Gif& gif) override {
    if (absl::Status status = GoTo(step); !status.ok()) return status;
    const std::string sha = absl::BytesToHexString(Sha256(gif.bytes));
    const std::string path = absl::StrCat("media/videos/", absl::StrReplaceAll(tag, {{"/", "_"}}),
                                          "_", step, "_", sha.substr(0, 20), ".gif");
    const std::filesystem::path file = std::filesystem::path(folder_) / "files" / path;
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    absl::Status status = WriteFileAtomically(file.string(), {gif.bytes});
    if (!status.ok()) return status;
    row_[tag] = JsonObject()
                    .Add("_type", "video-file")
                    .Add("path", path)
                    .Add("sha256", sha)
                    .Add("size", static_cast<int64_t>(gif.bytes.size()))
                    .Add("width", gif.width)
                    .Add("height", gif.height)
                    .ToString();
    wandb::Record record;
    wandb::FilesRecord::File& entry = *record.mutable_files()->add_files();
    entry.set_path(path);
    entry.set_type(kMedia);
    return Write(record);
  }

  absl::Status Finish() override {
    absl::Status status = WriteRow();
    wandb::Record exit;
    exit.mutable_exit()->set_runtime(static_cast<int32_t>(Seconds()));
    if (status.ok()) status = Write(exit);
    wandb::Record final;
    final.mutable_final();
    if (status.ok()) status = Write(final);
    return status;
  }

 private:
  double Seconds() const { return absl::ToDoubleSeconds(absl::Now() - started_); }

  absl::Status GoTo(int64_t step) {
    const absl::Status status = step == step_ ? absl::OkStatus() : WriteRow();
    step_ = step;
    return status;
  }

  absl::Status WriteRow() {
    if (row_.empty()) return absl::OkStatus();
    row_["_step"] = absl::StrCat(step_);
    row_["_runtime"] = JsonNumber(Seconds());
    row_["_timestamp"] = JsonNumber(absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()));
    wandb::Record history, summary;
    history.mutable_history()->mutable_step()->set_num(step_);
    for (const auto& [key, json] : row_) {
      AddItem(key, json, *history.mutable_history()->add_item());
      AddItem(key, json, *summary.mutable_summary()->add_update());
    }
    row_.clear();
    const absl::Status status = Write(history);
    return status.ok() ? Write(summary) : status;
  }

  absl::Status Write(wandb::Record& record) {
    record.set_num(++records_);
    return log_->Append(record.SerializeAsString());
  }

  const std::string folder_;
  const std::unique_ptr<WandbLog> log_;
  const absl::Time started_;
  int64_t records_ = 0;
  int64_t step_ = 0;
  // Of the present step: key → JSON.
  std::map<std::string, std::string> row_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Tracker>> MakeWandbTracker(const TrackedRun& run) {
  const std::string all = run.folder + "/wandb";
  std::error_code error;
  const bool resumed = std::filesystem::exists(all, error);
  const std::string stem = absl::StrCat(
      all, "/offline-run-", absl::FormatTime("%Y%m%d_%H%M%S", absl::Now(), absl::LocalTimeZone()));
  std::string folder = absl::StrCat(stem, "-", run.id);
  for (int i = 2; std::filesystem::exists(folder, error); ++i) {
    folder = absl::StrCat(stem, ".", i, "-", run.id);
  }
  std::filesystem::create_directories(folder + "/files", error);
  if (error) {
    return absl::UnknownError(absl::StrCat("cannot make ", folder, ": ", error.message()));
  }
  auto log = WandbLog::Create(absl::StrCat(folder, "/run-", run.id, ".wandb"));
  if (!log.ok()) return log.status();
  auto tracker = std::make_unique<WandbTracker>(folder, *std::move(log));
  if (absl::Status status = tracker->Begin(run, resumed); !status.ok()) return status;
  return tracker;
}

}  // namespace hivewire
