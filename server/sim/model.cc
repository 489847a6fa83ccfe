#include "server/sim/model.h"

#include <sys/stat.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"
#include "server/sim/collision_pairs.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

constexpr int kErrorSize = 1000;

absl::Status BadModel(absl::string_view message) {
  return MakeError(v1::ERROR_REASON_BAD_MODEL, message);
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

Model::Model(mjModel* model, bool has_found_pairs, std::string name)
    : model_(model),
      has_found_pairs_(has_found_pairs),
      name_(std::move(name)),
      integration_size_(static_cast<int>(mj_stateSize(model, mjSTATE_INTEGRATION))) {}

Model::~Model() { mj_deleteModel(model_); }

absl::StatusOr<std::shared_ptr<const Model>> Model::Compile(mjSpec* parsed, absl::string_view name,
                                                            absl::string_view parse_error) {
  if (parsed == nullptr) {
    return BadModel(absl::StrCat(name, ": ", absl::StripAsciiWhitespace(parse_error)));
  }
  const std::unique_ptr<mjSpec, decltype(&mj_deleteSpec)> spec(parsed, mj_deleteSpec);
  mjModel* const compiled = mj_compile(spec.get(), nullptr);
  if (compiled == nullptr) {
    return BadModel(absl::StrCat(name, ": ", absl::StripAsciiWhitespace(mjs_getError(spec.get()))));
  }
  mjModel* const model = WithCollisionPairs(spec.get(), compiled);
  // One tree is one island: looking for more only costs time.
  if (model->ntree == 1) model->opt.disableflags |= mjDSBL_ISLAND;
  std::shared_ptr<const Model> shared(new Model(model, model != compiled, std::string(name)));
  const absl::Status status = CheckSupported(*model, name);
  if (!status.ok()) return status;
  return shared;
}

absl::StatusOr<std::shared_ptr<const Model>> Model::FromXml(absl::string_view xml,
                                                            absl::string_view name) {
  return FromXml(xml, name, [](mjModel&) {});
}

absl::StatusOr<std::shared_ptr<const Model>> Model::FromXml(
    absl::string_view xml, absl::string_view name, absl::FunctionRef<void(mjModel&)> edit) {
  absl::StatusOr<std::shared_ptr<const Model>> model = nullptr;
  const absl::Status status = Simulation::Guard([&] {
    char error[kErrorSize] = "";
    mjSpec* spec = mj_parseXMLString(std::string(xml).c_str(), nullptr, error, kErrorSize);
    model = Compile(spec, name, error);
    if (model.ok()) edit(*(*model)->model_);
  });
  if (!status.ok()) return BadModel(absl::StrCat(name, ": ", status.message()));
  return model;
}

absl::StatusOr<std::string> Model::Flatten(absl::string_view xml, absl::string_view name) {
  std::string text;
  char error[kErrorSize] = "";
  bool written = false;
  const absl::Status status = Simulation::Guard([&] {
    const std::unique_ptr<mjSpec, decltype(&mj_deleteSpec)> spec(
        mj_parseXMLString(std::string(xml).c_str(), nullptr, error, kErrorSize), mj_deleteSpec);
    if (spec == nullptr) return;
    mjModel* const model = mj_compile(spec.get(), nullptr);
    if (model == nullptr) {
      absl::SNPrintF(error, kErrorSize, "%s", mjs_getError(spec.get()));
      return;
    }
    mj_deleteModel(model);
    // Too small a buffer: gives the number of bytes that it takes, without the last.
    char none = '\0';
    const int size = mj_saveXMLString(spec.get(), &none, 1, error, kErrorSize);
    if (size < 0) return;
    text.resize(static_cast<size_t>(size) + 1);
    written = mj_saveXMLString(spec.get(), text.data(), size + 1, error, kErrorSize) == 0;
    text.resize(static_cast<size_t>(size));
  });
  if (!status.ok()) return BadModel(absl::StrCat(name, ": ", status.message()));
  if (!written) return BadModel(absl::StrCat(name, ": ", absl::StripAsciiWhitespace(error)));
  return text;
}

absl::StatusOr<std::shared_ptr<const Model>> Model::FromFile(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  absl::StatusOr<std::shared_ptr<const Model>> model = nullptr;
  const absl::Status status = Simulation::Guard([&] {
    char error[kErrorSize] = "";
    mjSpec* spec = mj_parseXML(path.c_str(), nullptr, error, kErrorSize);
    model = Compile(spec, path, error);
  });
  if (!status.ok()) return BadModel(absl::StrCat(path, ": ", status.message()));
  return model;
}

}  // namespace hivewire
