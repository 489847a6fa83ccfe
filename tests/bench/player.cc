#include "tests/bench/player.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hivewire {

void PlayTurns(JsonObject ready, const std::vector<std::string>& sides, const std::string& engine,
               const std::function<absl::StatusOr<Turn>(const std::string& side)>& play) {
  std::vector<std::string> list;
  for (const std::string& side : sides) {
    list.push_back(JsonObject().Add("side", side).Add("engine", engine).ToString());
  }
  std::cout << ready.AddRaw("sides", absl::StrCat("[", absl::StrJoin(list, ", "), "]")).ToString()
            << std::endl;
  for (std::string side; std::getline(std::cin, side);) {
    const auto turn = play(side);
    JsonObject answer;
    if (turn.ok()) {
      answer.Add("lane_steps", turn->lane_steps).Add("seconds", turn->seconds);
      if (turn->round_trip_p50 > 0) {
        answer.Add("round_trip_us", 1e6 * turn->round_trip_p50)
            .Add("round_trip_net_us", 1e6 * turn->round_trip_net_p50);
      }
      if (turn->update_seconds > 0) answer.Add("update_seconds", turn->update_seconds);
    } else {
      answer.Add("error", turn.status().message());
    }
    std::cout << answer.ToString() << std::endl;
  }
}

}  // namespace hivewire
