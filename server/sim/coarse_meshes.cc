#include "server/sim/coarse_meshes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace hivewire {
namespace {

using Face = std::array<int, 3>;

struct Cell {
  std::array<double, 3> sum = {};
  int count = 0;
  int nearest = 0;  // vertex to the mean of all
  double distance = std::numeric_limits<double>::infinity();
};

// For each of a mesh's (count, 3) vertices the one that stands for its cell.
std::vector<int> Representatives(const float* vertices, int count) {
  std::array<float, 3> low, high;
  for (size_t axis = 0; axis < 3; ++axis) {
    low[axis] = high[axis] = vertices[axis];
    for (int v = 0; v < count; ++v) {
      low[axis] = std::min(low[axis], vertices[3 * v + axis]);
      high[axis] = std::max(high[axis], vertices[3 * v + axis]);
    }
  }
  const float longest = std::max({high[0] - low[0], high[1] - low[1], high[2] - low[2]});
  const float side = std::max(longest / kMeshCells, std::numeric_limits<float>::min());

  std::vector<Cell> cells;
  std::vector<size_t> cell_of;  // by vertex
  absl::flat_hash_map<std::array<int, 3>, size_t> cell_at;
  for (int v = 0; v < count; ++v) {
    std::array<int, 3> place;
    for (size_t axis = 0; axis < 3; ++axis)
      place[axis] = static_cast<int>((vertices[3 * v + axis] - low[axis]) / side);
    const auto [found, is_new] = cell_at.try_emplace(place, cells.size());
    if (is_new) cells.emplace_back();
    Cell& cell = cells[found->second];
    for (size_t axis = 0; axis < 3; ++axis) cell.sum[axis] += vertices[3 * v + axis];
    ++cell.count;
    cell_of.push_back(found->second);
  }
  for (int v = 0; v < count; ++v) {
    Cell& cell = cells[cell_of[static_cast<size_t>(v)]];
    double distance = 0;
    for (size_t axis = 0; axis < 3; ++axis) {
      const double offset = vertices[3 * v + axis] - cell.sum[axis] / cell.count;
      distance += offset * offset;
    }
    if (distance < cell.distance) {
      cell.distance = distance;
      cell.nearest = v;
    }
  }
  std::vector<int> representatives;
  for (const size_t cell : cell_of) representatives.push_back(cells[cell].nearest);
  return representatives;
}

// The same for every face of the same vertices that is seen from the same side.
Face Turned(Face face) {
  std::rotate(face.begin(), std::min_element(face.begin(), face.end()), face.end());
  return face;
}

}  // namespace

void CoarsenMeshes(mjModel& model) {
  for (int mesh = 0; mesh < model.nmesh; ++mesh) {
    const int count = model.mesh_facenum[mesh];
    if (count <= kFewFaces) continue;
    const std::vector<int> stands_for =
        Representatives(model.mesh_vert + 3 * model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]);
    const int first = model.mesh_faceadr[mesh];
    int kept = 0;
    std::set<Face> seen;
    for (int k = 0; k < count; ++k) {
      const int from = 3 * (first + k), to = 3 * (first + kept);
      Face face;
      for (size_t corner = 0; corner < 3; ++corner)
        face[corner] = stands_for[static_cast<size_t>(model.mesh_face[from + corner])];
      const bool flat = face[0] == face[1] || face[1] == face[2] || face[2] == face[0];
      if (flat || !seen.insert(Turned(face)).second) continue;
      std::copy(face.begin(), face.end(), model.mesh_face + to);
      std::copy_n(model.mesh_facenormal + from, 3, model.mesh_facenormal + to);
      std::copy_n(model.mesh_facetexcoord + from, 3, model.mesh_facetexcoord + to);
      ++kept;
    }
    model.mesh_facenum[mesh] = kept;
  }
}

}  // namespace hivewire
