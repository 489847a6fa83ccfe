#include "server/sim/collision_pairs.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

struct Pair {
  int geom1, geom2;  // as the engine collides them: that of the lower type first
  int signature;     // bodies: lower << 16 | higher
};

// What the engine has to try in every step, and what it has to search for.
struct Collisions {
  std::vector<Pair> pairs;      // in the engine's order
  std::vector<bool> searching;  // by body: collides with some body in another way than by `pairs`
};

bool IsEligible(const mjModel& model) {
  if (model.npair > 0 || model.nflex > 0 || model.nhfield > 0 || model.nmesh > 0) return false;
  return std::none_of(model.geom_type, model.geom_type + model.ngeom,
                      [](int type) { return type == mjGEOM_SDF; });
}

bool MasksMatch(int contype1, int conaffinity1, int contype2, int conaffinity2) {
  return (contype1 & conaffinity2) || (contype2 & conaffinity1);
}

bool BodiesCanCollide(const mjModel& model, int body1, int body2) {
  if (!MasksMatch(model.body_contype[body1], model.body_conaffinity[body1],
                  model.body_contype[body2], model.body_conaffinity[body2])) {
    return false;
  }
  const int weld1 = model.body_weldid[body1], weld2 = model.body_weldid[body2];
  if (weld1 == weld2) return false;
  if (model.body_dofnum[weld1] == 0 && model.body_dofnum[weld2] == 0) return false;
  if (weld1 != 0 && weld2 != 0 && !(model.opt.disableflags & mjDSBL_FILTERPARENT)) {
    const int parent1 = model.body_weldid[model.body_parentid[weld1]];
    const int parent2 = model.body_weldid[model.body_parentid[weld2]];
    if (weld1 == parent2 || weld2 == parent1) return false;
  }
  return std::count(model.exclude_signature, model.exclude_signature + model.nexclude,
                    (body1 << 16) + body2) == 0;
}

// Whether the engine tries to collide this body with every other, without a sweep.
bool IsAlwaysTried(const mjModel& model, int body) {
  if (body == 0) return true;
  if (model.body_dofnum[model.body_weldid[body]] != 0) return false;
  const int* const types = model.geom_type + model.body_geomadr[body];
  return std::count(types, types + model.body_geomnum[body], mjGEOM_PLANE) > 0;
}

// Whether the engine searches the bodies' trees of boxes for geoms that collide. That search is not
// exact (a geom far below a plane is not found), so that only the engine can repeat it.
bool SearchesTrees(const mjModel& model, int body1, int body2) {
  if (model.opt.disableflags & mjDSBL_MIDPHASE) return false;
  if (model.body_geomnum[body1] == 1 && model.body_geomnum[body2] == 1) return false;
  return model.body_bvhadr[body1] >= 0 && model.body_bvhadr[body2] >= 0;
}

void AppendPairs(const mjModel& model, int body1, int body2, std::vector<Pair>& pairs) {
  const int end1 = model.body_geomadr[body1] + model.body_geomnum[body1];
  const int end2 = model.body_geomadr[body2] + model.body_geomnum[body2];
  for (int geom1 = model.body_geomadr[body1]; geom1 < end1; ++geom1) {
    for (int geom2 = model.body_geomadr[body2]; geom2 < end2; ++geom2) {
      if (!MasksMatch(model.geom_contype[geom1], model.geom_conaffinity[geom1],
                      model.geom_contype[geom2], model.geom_conaffinity[geom2])) {
        continue;
      }
      const bool swaps = model.geom_type[geom1] > model.geom_type[geom2];
      const int low = swaps ? geom2 : geom1, high = swaps ? geom1 : geom2;
      if (mjCOLLISIONFUNC[model.geom_type[low]][model.geom_type[high]] == nullptr) continue;
      pairs.push_back({low, high, (body1 << 16) + body2});
    }
  }
}

Collisions FindCollisions(const mjModel& model) {
  Collisions found;
  found.searching.resize(static_cast<size_t>(model.nbody));
  for (int body1 = 0; body1 < model.nbody; ++body1) {
    for (int body2 = body1 + 1; body2 < model.nbody; ++body2) {
      if (!BodiesCanCollide(model, body1, body2)) continue;
      if ((IsAlwaysTried(model, body1) || IsAlwaysTried(model, body2)) &&
          !SearchesTrees(model, body1, body2)) {
        AppendPairs(model, body1, body2, found.pairs);
      } else {
        found.searching[static_cast<size_t>(body1)] = true;
        found.searching[static_cast<size_t>(body2)] = true;
      }
    }
  }
  return found;
}

// The same spec compiled with as many pairs. Pairs name their geoms: those without a name have one
// just for that.
mjModel* CompileWithPairs(mjSpec* spec, const std::vector<Pair>& pairs, int num_geoms) {
  std::vector<std::string> names(static_cast<size_t>(num_geoms));
  std::vector<int> unnamed;
  for (mjsElement* geom = mjs_firstElement(spec, mjOBJ_GEOM); geom != nullptr;
       geom = mjs_nextElement(spec, geom)) {
    const int id = mjs_getId(geom);
    if (id < 0 || id >= num_geoms) return nullptr;
    std::string& name = names[static_cast<size_t>(id)];
    name = mjs_getString(mjs_getName(geom));
    if (!name.empty()) continue;
    name = absl::StrCat("unnamed geom ", id);
    if (mjs_setName(geom, name.c_str()) != 0) return nullptr;
    unnamed.push_back(id);
  }
  for (const Pair& pair : pairs) {
    mjsPair* added = mjs_addPair(spec, nullptr);
    mjs_setString(added->geomname1, names[static_cast<size_t>(pair.geom1)].c_str());
    mjs_setString(added->geomname2, names[static_cast<size_t>(pair.geom2)].c_str());
  }
  mjModel* model = mj_compile(spec, nullptr);
  if (model == nullptr) return nullptr;
  for (const int id : unnamed) model->names[model->name_geomadr[id]] = '\0';
  return model;
}

// How the engine mixes what two geoms say: that of the higher priority alone, or both.
void UpdatePair(mjModel& model, int pair) {
  const int geoms[2] = {model.pair_geom1[pair], model.pair_geom2[pair]};
  const auto of = [&](const mjtNum* field, int side, int size = 1) {
    return field + geoms[side] * size;
  };
  mjtNum* const solref = model.pair_solref + mjNREF * pair;
  mjtNum* const solimp = model.pair_solimp + mjNIMP * pair;
  mjtNum friction[3];
  const int priority[2] = {model.geom_priority[geoms[0]], model.geom_priority[geoms[1]]};
  if (priority[0] != priority[1]) {
    const int side = priority[0] > priority[1] ? 0 : 1;
    model.pair_dim[pair] = model.geom_condim[geoms[side]];
    std::copy_n(of(model.geom_solref, side, mjNREF), mjNREF, solref);
    std::copy_n(of(model.geom_solimp, side, mjNIMP), mjNIMP, solimp);
    std::copy_n(of(model.geom_friction, side, 3), 3, friction);
    model.pair_adhesion[pair] = *of(model.geom_adhesion, side);
  } else {
    model.pair_dim[pair] = std::max(model.geom_condim[geoms[0]], model.geom_condim[geoms[1]]);
    const mjtNum mix[2] = {*of(model.geom_solmix, 0), *of(model.geom_solmix, 1)};
    mjtNum share = 0.5;
    if (mix[0] >= mjMINVAL && mix[1] >= mjMINVAL) {
      share = mix[0] / (mix[0] + mix[1]);
    } else if (mix[0] >= mjMINVAL || mix[1] >= mjMINVAL) {
      share = mix[0] >= mjMINVAL ? 1 : 0;
    }
    const auto blend = [&](const mjtNum* first, const mjtNum* second, int count, mjtNum* out) {
      for (int k = 0; k < count; ++k) out[k] = share * first[k] + (1 - share) * second[k];
    };
    const mjtNum* const first = of(model.geom_solref, 0, mjNREF);
    const mjtNum* const second = of(model.geom_solref, 1, mjNREF);
    if (first[0] > 0 && second[0] > 0) {
      blend(first, second, mjNREF, solref);
    } else {  // given as stiffness and damping
      for (int k = 0; k < mjNREF; ++k) solref[k] = std::min(first[k], second[k]);
    }
    blend(of(model.geom_solimp, 0, mjNIMP), of(model.geom_solimp, 1, mjNIMP), mjNIMP, solimp);
    for (int k = 0; k < 3; ++k) {
      friction[k] = std::max(of(model.geom_friction, 0, 3)[k], of(model.geom_friction, 1, 3)[k]);
    }
    model.pair_adhesion[pair] = *of(model.geom_adhesion, 0) + *of(model.geom_adhesion, 1);
  }
  constexpr int kUnpacked[5] = {0, 0, 1, 2, 2};  // slide twice, spin, roll twice
  for (int k = 0; k < 5; ++k) model.pair_friction[5 * pair + k] = friction[kUnpacked[k]];
  std::fill_n(model.pair_solreffriction + mjNREF * pair, mjNREF, 0);
  model.pair_margin[pair] = *of(model.geom_margin, 0) + *of(model.geom_margin, 1);
  model.pair_gap[pair] = *of(model.geom_gap, 0) + *of(model.geom_gap, 1);
}

}  // namespace

mjModel* WithCollisionPairs(mjSpec* spec, mjModel* model) {
  if (!IsEligible(*model)) return model;
  const Collisions found = FindCollisions(*model);
  // The sweep is over all but the world.
  if (std::count(found.searching.begin() + 1, found.searching.end(), true) > 1) return model;
  mjModel* paired = CompileWithPairs(spec, found.pairs, static_cast<int>(model->ngeom));
  if (paired == nullptr) return model;
  for (int k = 0; k < static_cast<int>(found.pairs.size()); ++k) {
    const Pair& pair = found.pairs[static_cast<size_t>(k)];
    paired->pair_signature[k] = pair.signature;
    paired->pair_geom1[k] = pair.geom1;
    paired->pair_geom2[k] = pair.geom2;
  }
  UpdateCollisionPairs(*paired);
  for (int body = 0; body < paired->nbody; ++body) {
    if (found.searching[static_cast<size_t>(body)]) continue;
    paired->body_contype[body] = paired->body_conaffinity[body] = 0;
    std::fill_n(paired->geom_contype + paired->body_geomadr[body], paired->body_geomnum[body], 0);
    std::fill_n(paired->geom_conaffinity + paired->body_geomadr[body], paired->body_geomnum[body],
                0);
  }
  mj_deleteModel(model);
  return paired;
}

void UpdateCollisionPairs(mjModel& model) {
  for (int pair = 0; pair < model.npair; ++pair) UpdatePair(model, pair);
}

}  // namespace hivewire
