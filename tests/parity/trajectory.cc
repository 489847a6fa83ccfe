#include "tests/parity/trajectory.h"

#include <fstream>
#include <numeric>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr double kStep = -2;
constexpr size_t kScalars = 4;  // kind, terminated, truncated, reward

v1::DType DtypeNamed(const std::string& name) {
  if (name == "int64") return v1::DTYPE_INT64;
  if (name == "float32") return v1::DTYPE_FLOAT32;
  return name == "float64" ? v1::DTYPE_FLOAT64 : v1::DTYPE_UNSPECIFIED;
}

std::vector<double> Numbers(std::istream& words) {
  std::vector<double> numbers;
  double number;  // read as a word, since a stream does not take "inf"
  for (std::string word; words >> word && absl::SimpleAtod(word, &number);)
    numbers.push_back(number);
  return numbers;
}

std::string Rest(std::istream& words) {
  std::string rest;
  std::getline(words >> std::ws, rest);
  return rest;
}

// The rest of "option NAME TYPE VALUE...".
bool ReadOption(std::istream& words, Options& options) {
  std::string name, type;
  words >> name >> type;
  v1::Value value;
  if (type == "string") {
    value.set_string_value(Rest(words));
  } else {
    const std::vector<double> numbers = Numbers(words);
    if (numbers.empty()) return false;
    if (type == "bool") value.set_bool_value(numbers[0] != 0);
    if (type == "int") value.set_int_value(static_cast<int64_t>(numbers[0]));
    if (type == "double") value.set_double_value(numbers[0]);
    if (type == "list") {
      value.mutable_double_list()->mutable_values()->Assign(numbers.begin(), numbers.end());
    }
  }
  options[name] = value;
  return value.kind_case() != v1::Value::KIND_NOT_SET;
}

bool ReadLine(const std::string& line, Trajectory& trajectory) {
  std::istringstream words(line);
  std::string key, dtype;
  words >> key;
  if (key == "option") return ReadOption(words, trajectory.options);
  if (key == "reset_option") return ReadOption(words, trajectory.reset_options);
  if (key == "case") {
    trajectory.name = Rest(words);
  } else if (key == "env") {
    words >> trajectory.env_id;
  } else if (key == "lanes") {
    words >> trajectory.lanes;
  } else if (key == "time_limit") {
    words >> trajectory.time_limit;
  } else if (key == "max_episode_steps") {
    words >> trajectory.max_episode_steps;
  } else if (key == "action") {
    words >> dtype >> trajectory.action_elements;
    trajectory.action_dtype = DtypeNamed(dtype);
  } else if (key == "low") {
    trajectory.action_low = Numbers(words);
    return true;
  } else if (key == "high") {
    trajectory.action_high = Numbers(words);
    return true;
  } else if (key == "observation_low") {
    trajectory.observation_low = Numbers(words);
    return true;
  } else if (key == "observation_high") {
    trajectory.observation_high = Numbers(words);
    return true;
  } else if (key == "observation") {
    words >> dtype >> trajectory.observation_elements;
    trajectory.observation_dtype = DtypeNamed(dtype);
  } else if (key == "info") {
    InfoLeaf leaf{};
    words >> leaf.name >> leaf.elements >> leaf.in_reset;
    trajectory.info.push_back(std::move(leaf));
  } else {
    return false;
  }
  return !words.fail();
}

}  // namespace

Record Trajectory::At(size_t index) const {
  const absl::Span<const double> record(numbers.data() + index * record_size, record_size);
  const double kind = record[0];
  const absl::Span<const double> action = record.subspan(kScalars, action_elements);
  const absl::Span<const double> observation =
      record.subspan(kScalars + action_elements, observation_elements);
  return {.is_step = kind == kStep,
          .is_seeded = kind >= 0,
          .seed = kind >= 0 ? static_cast<uint64_t>(kind) : 0,
          .terminated = record[1] != 0,
          .truncated = record[2] != 0,
          .reward = record[3],
          .action = action,
          .observation = observation,
          .info = record.subspan(kScalars + action_elements + observation_elements)};
}

absl::StatusOr<Trajectory> ReadTrajectory(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Trajectory trajectory;
  std::string line;
  int line_number = 0;
  while (std::getline(file, line) && !line.empty()) {
    ++line_number;
    if (!ReadLine(line, trajectory)) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", line_number, ": ", line));
    }
  }
  trajectory.record_size =
      std::accumulate(trajectory.info.begin(), trajectory.info.end(),
                      kScalars + trajectory.action_elements + trajectory.observation_elements,
                      [](size_t sum, const InfoLeaf& leaf) { return sum + leaf.elements; });
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const std::string data = std::move(bytes).str();
  if (trajectory.lanes == 0 || data.empty() ||
      data.size() % (sizeof(double) * trajectory.record_size * trajectory.lanes) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not whole; generate it again"));
  }
  trajectory.numbers.resize(data.size() / sizeof(double));
  data.copy(reinterpret_cast<char*>(trajectory.numbers.data()), data.size());
  return trajectory;
}

}  // namespace hivewire
