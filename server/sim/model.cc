#include "server/sim/model.h"

#include <sys/stat.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

constexpr int kErrorSize = 1000;

absl::Status BadModel(absl::string_view message) {
  return MakeError(v1::ERROR_REASON_BAD_MODEL, message);
}

using SpecPtr = std::unique_ptr<mjSpec, decltype(&mj_deleteSpec)>;

absl::StatusOr<mjModel*> Compile(SpecPtr spec, absl::string_view name, const char* parse_error) {
  if (spec == nullptr) {
    return BadModel(absl::StrCat(name, ": ", absl::StripAsciiWhitespace(parse_error)));
  }
  mjModel* model = mj_compile(spec.get(), nullptr);
  if (model == nullptr) {
    return BadModel(absl::StrCat(name, ": ", absl::StripAsciiWhitespace(mjs_getError(spec.get()))));
  }
  return model;
}

// What a row of state cannot hold: islands that sleep keep their state elsewhere.
absl::Status CheckSupported(const mjModel& model, absl::string_view name) {
  if (model.opt.enableflags & mjENBL_SLEEP) {
    return BadModel(absl::StrCat(
        name,
        ": <option><flag sleep=\"enable\"/>: sleeping bodies are not supported; remove the flag"));
  }
  return absl::OkStatus();
}

}  // namespace

Model::Model(mjModel* model, std::string name)
    : model_(model),
      name_(std::move(name)),
      integration_size_(static_cast<int>(mj_stateSize(model, mjSTATE_INTEGRATION))) {}

Model::~Model() { mj_deleteModel(model_); }

absl::StatusOr<std::shared_ptr<const Model>> Model::Adopt(absl::StatusOr<mjModel*> compiled,
                                                          absl::string_view name) {
  if (!compiled.ok()) return compiled.status();
  std::shared_ptr<const Model> model(new Model(*compiled, std::string(name)));
  const absl::Status status = CheckSupported(**compiled, name);
  if (!status.ok()) return status;
  return model;
}

absl::StatusOr<std::shared_ptr<const Model>> Model::FromXml(absl::string_view xml,
                                                            absl::string_view name) {
  absl::StatusOr<mjModel*> compiled = nullptr;
  const absl::Status status = Simulation::Guard([&] {
    char error[kErrorSize] = "";
    SpecPtr spec(mj_parseXMLString(std::string(xml).c_str(), nullptr, error, kErrorSize),
                 mj_deleteSpec);
    compiled = Compile(std::move(spec), name, error);
  });
  if (!status.ok()) return BadModel(absl::StrCat(name, ": ", status.message()));
  return Adopt(std::move(compiled), name);
}

absl::StatusOr<std::shared_ptr<const Model>> Model::FromFile(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  absl::StatusOr<mjModel*> compiled = nullptr;
  const absl::Status status = Simulation::Guard([&] {
    char error[kErrorSize] = "";
    SpecPtr spec(mj_parseXML(path.c_str(), nullptr, error, kErrorSize), mj_deleteSpec);
    compiled = Compile(std::move(spec), path, error);
  });
  if (!status.ok()) return BadModel(absl::StrCat(path, ": ", status.message()));
  return Adopt(std::move(compiled), path);
}

}  // namespace hivewire
