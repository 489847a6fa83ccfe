#include "server/tasks/observation_mask.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/error.h"
#include "base/layout.h"
#include "base/nearest.h"

namespace hivewire {
namespace {

absl::Status BadItem(absl::string_view item, absl::string_view what) {
  const std::string text = Excerpt(item);
  return MakeError(v1::ERROR_REASON_BAD_OPTION,
                   absl::StrCat("option observation_mask: \"", text, "\" ", what),
                   "options.observation_mask", text);
}

// Whether `name` is `pattern`, in which * stands for any text. Goes back to the last star only,
// which is enough, so that no pattern takes long.
bool Matches(absl::string_view name, absl::string_view pattern) {
  size_t at = 0, in_pattern = 0;
  size_t star = absl::string_view::npos, star_ends = 0;
  while (at < name.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_ends = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == name[at]) {
      ++in_pattern;
      ++at;
    } else if (star != absl::string_view::npos) {
      in_pattern = star + 1;
      at = ++star_ends;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == absl::string_view::npos;
}

struct Range {
  size_t begin, end;
};

// "3" or "3:7".
std::optional<Range> ParseRange(absl::string_view text) {
  const size_t colon = text.find(':');
  uint32_t begin = 0, end = 0;
  if (!absl::SimpleAtoi(text.substr(0, colon), &begin)) return std::nullopt;
  if (colon == absl::string_view::npos) return Range{begin, size_t{begin} + 1};
  if (!absl::SimpleAtoi(text.substr(colon + 1), &end)) return std::nullopt;
  return Range{begin, end};
}

class Mask {
 public:
  explicit Mask(const ObservationLeaves& leaves) : leaves_(leaves) {
    for (const v1::LeafSpec& leaf : leaves) dropped_.emplace_back(NumElements(leaf.shape()), false);
  }

  absl::Status Drop(const std::string& item) {
    if (const std::optional<Range> range = ParseRange(item)) {
      if (leaves_.size() == 1) return DropRange(item, 0, *range);
      return BadItem(item, "names no leaf, of which there are several; accepted: LEAF[i:j]");
    }
    const size_t bracket = item.find('[');
    if (bracket == std::string::npos) return DropNamed(item);
    absl::string_view indices = absl::string_view(item).substr(bracket + 1);
    const bool closed = absl::ConsumeSuffix(&indices, "]");
    const std::optional<Range> range = ParseRange(indices);
    if (!closed || !range) return BadItem(item, "is not LEAF[i] or LEAF[i:j]");
    const auto leaf = std::find_if(leaves_.begin(), leaves_.end(), [&](const v1::LeafSpec& spec) {
      return spec.name() == item.substr(0, bracket);
    });
    if (leaf == leaves_.end()) return NoSuchName(item, item.substr(0, bracket));
    return DropRange(item, leaf - leaves_.begin(), *range);
  }

  absl::StatusOr<std::vector<std::vector<size_t>>> Kept() const {
    std::vector<std::vector<size_t>> kept(dropped_.size());
    bool any = false;
    for (size_t leaf = 0; leaf < dropped_.size(); ++leaf) {
      for (size_t k = 0; k < dropped_[leaf].size(); ++k) {
        if (!dropped_[leaf][k]) kept[leaf].push_back(k);
      }
      any = any || !kept[leaf].empty();
      const v1::LeafSpec& spec = leaves_[static_cast<int>(leaf)];
      if (kept[leaf].empty() || kept[leaf].size() == dropped_[leaf].size()) continue;
      if (spec.shape_size() != 1)
        return BadItem(spec.name(), "has more than one dimension: only the whole can be left out");
    }
    if (!any) {
      return MakeError(v1::ERROR_REASON_BAD_OPTION,
                       "option observation_mask leaves nothing to observe",
                       "options.observation_mask");
    }
    return kept;
  }

 private:
  absl::Status DropRange(const std::string& item, std::ptrdiff_t leaf, Range range) {
    std::vector<bool>& dropped = dropped_[static_cast<size_t>(leaf)];
    if (range.begin >= range.end || range.end > dropped.size()) {
      return BadItem(item,
                     absl::StrCat("is not within the leaf's elements, 0 … ", dropped.size() - 1));
    }
    std::fill(dropped.begin() + static_cast<std::ptrdiff_t>(range.begin),
              dropped.begin() + static_cast<std::ptrdiff_t>(range.end), true);
    return absl::OkStatus();
  }

  absl::Status DropNamed(const std::string& item) {
    bool found = false;
    for (size_t leaf = 0; leaf < dropped_.size(); ++leaf) {
      const v1::LeafSpec& spec = leaves_[static_cast<int>(leaf)];
      if (Matches(spec.name(), item)) {
        found = true;
        dropped_[leaf].assign(dropped_[leaf].size(), true);
        continue;
      }
      for (int k = 0; k < spec.element_names_size(); ++k) {
        if (!Matches(spec.element_names(k), item)) continue;
        found = true;
        dropped_[leaf][static_cast<size_t>(k)] = true;
      }
    }
    return found ? absl::OkStatus() : NoSuchName(item, item);
  }

  absl::Status NoSuchName(absl::string_view item, absl::string_view name) const {
    std::vector<std::string> names;
    for (const v1::LeafSpec& leaf : leaves_) {
      names.push_back(leaf.name());
      names.insert(names.end(), leaf.element_names().begin(), leaf.element_names().end());
    }
    return BadItem(item, absl::StrCat("names no leaf and no element", NearestHint(name, names)));
  }

  const ObservationLeaves& leaves_;
  std::vector<std::vector<bool>> dropped_;
};

}  // namespace

absl::StatusOr<std::vector<std::vector<size_t>>> ApplyObservationMask(
    absl::Span<const std::string> mask, const ObservationLeaves& leaves) {
  Mask dropped(leaves);
  for (const std::string& item : mask) {
    const absl::Status status = dropped.Drop(item);
    if (!status.ok()) return status;
  }
  return dropped.Kept();
}

v1::LeafSpec PickElements(const v1::LeafSpec& leaf, absl::Span<const size_t> elements) {
  v1::LeafSpec picked = leaf;
  picked.clear_shape();
  picked.add_shape(static_cast<int64_t>(elements.size()));
  if (leaf.low_size() > 1) picked.clear_low();
  if (leaf.high_size() > 1) picked.clear_high();
  picked.clear_element_names();
  picked.clear_element_units();
  for (const size_t element : elements) {
    const int k = static_cast<int>(element);
    if (leaf.low_size() > 1) picked.add_low(leaf.low(k));
    if (leaf.high_size() > 1) picked.add_high(leaf.high(k));
    if (leaf.element_names_size() > 0) picked.add_element_names(leaf.element_names(k));
    if (leaf.element_units_size() > 0) picked.add_element_units(leaf.element_units(k));
  }
  return picked;
}

}  // namespace hivewire
