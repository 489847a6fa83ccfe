#include "policy/nn/architecture.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "policy/nn/named.h"

namespace hivewire {
namespace {

struct Architecture {
  const char* name;
  std::vector<int> hidden;
  // Of a recurrent model.
  std::vector<int> before;
  int recurrent;
};

const std::vector<Architecture>& Architectures() {
  static const auto* const all = new std::vector<Architecture>{
      {"simple", {64, 64}, {64}, 64},
      {"deeper", {64, 64, 64, 32}, {64, 64, 64, 32}, 32},
      {"wider", {1024, 512}, {1024}, 512},
  };
  return *all;
}

absl::Status CheckWidth(absl::string_view field, int width) {
  if (width >= 1 && width <= 65536) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model.", field, " has ", width, "; a layer is 1 … 65536 wide"));
}

}  // namespace

bool IsRecurrent(const v1::ModelConfig& config) {
  return config.type() == "rnn" || config.type() == "lstm" || config.type() == "gru";
}

bool HasConvolutions(const v1::ModelConfig& config) {
  const v1::ConvolutionConfig& convolution = config.convolution();
  return convolution.architecture() != "none" || !convolution.layers().empty();
}

absl::Status ResolveArchitecture(v1::ModelConfig& config) {
  const auto named = FindNamed("model.architecture", config.architecture(), Architectures());
  if (!named.ok()) return named.status();
  const bool recurrent = IsRecurrent(config);
  if (config.hidden().empty()) {
    const std::vector<int>& hidden = recurrent ? (*named)->before : (*named)->hidden;
    config.mutable_hidden()->Assign(hidden.begin(), hidden.end());
    if (recurrent && config.recurrent_width() == 0) config.set_recurrent_width((*named)->recurrent);
  }
  for (const int width : config.hidden()) {
    if (absl::Status status = CheckWidth("hidden", width); !status.ok()) return status;
  }
  if (!recurrent) return absl::OkStatus();
  if (config.recurrent_width() == 0) {
    config.set_recurrent_width(config.hidden(config.hidden_size() - 1));
  }
  return CheckWidth("recurrent_width", config.recurrent_width());
}

}  // namespace hivewire
