#include "server/sim/coarse_meshes.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "server/sim/model.h"

namespace hivewire {
namespace {

constexpr float kLength = 10;

// A copy of a model with two rotational ellipsoids, the first a long one of 5,120 faces, the other
// of 1,280.
class CoarseMeshesTest : public testing::Test {
 protected:
  CoarseMeshesTest()
      : model_(Model::FromXml(absl::StrCat(R"(<mujoco><asset>
          <mesh name="fine" builtin="sphere" params="4" scale=")",
                                           kLength, R"( 1 1"/>
          <mesh name="plain" builtin="sphere" params="3"/>
        </asset><worldbody>
          <geom type="mesh" mesh="fine"/> <geom type="mesh" mesh="plain"/>
        </worldbody></mujoco>)"),
                              "ellipsoids")
                   .value()),
        changed_(mj_copyModel(nullptr, model_->get()), mj_deleteModel) {}

  const mjModel& original() const { return *model_->get(); }
  mjModel& changed() { return *changed_; }

  const std::shared_ptr<const Model> model_;
  const std::unique_ptr<mjModel, void (*)(mjModel*)> changed_;
};

TEST_F(CoarseMeshesTest, AMeshOfManyFacesLosesMostOfThem) {
  ASSERT_GT(original().mesh_facenum[0], kFewFaces);
  CoarsenMeshes(changed());
  EXPECT_LT(changed().mesh_facenum[0], original().mesh_facenum[0] / 3);
  EXPECT_GT(changed().mesh_facenum[0], 100);
}

TEST_F(CoarseMeshesTest, AMeshOfFewFacesStaysAsItIs) {
  CoarsenMeshes(changed());
  ASSERT_EQ(changed().mesh_facenum[1], original().mesh_facenum[1]);
  const int first = 3 * original().mesh_faceadr[1];
  const int end = first + 3 * original().mesh_facenum[1];
  for (int k = first; k < end; ++k) EXPECT_EQ(changed().mesh_face[k], original().mesh_face[k]);
}

TEST_F(CoarseMeshesTest, TheSurfaceIsClosedAndNearWhatItWas) {
  CoarsenMeshes(changed());
  // Six times the volume within: each face's tetrahedron with the origin.
  const auto volume = [](const mjModel& model) {
    const float* vertices = model.mesh_vert + 3 * model.mesh_vertadr[0];
    double sum = 0;
    for (int face = 0; face < model.mesh_facenum[0]; ++face) {
      const int* corners = model.mesh_face + 3 * (model.mesh_faceadr[0] + face);
      const float *a = vertices + 3 * corners[0], *b = vertices + 3 * corners[1],
                  *c = vertices + 3 * corners[2];
      sum += a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) +
             a[2] * (b[0] * c[1] - b[1] * c[0]);
    }
    return sum;
  };
  EXPECT_NEAR(volume(changed()) / volume(original()), 1, 0.15);
}

TEST_F(CoarseMeshesTest, FacesHaveThreeCornersOfTheMeshAndNormalsOfTheirOwn) {
  CoarsenMeshes(changed());
  for (int face = 0; face < changed().mesh_facenum[0]; ++face) {
    const int* corners = changed().mesh_face + 3 * (changed().mesh_faceadr[0] + face);
    for (int k = 0; k < 3; ++k) {
      EXPECT_GE(corners[k], 0);
      EXPECT_LT(corners[k], original().mesh_vertnum[0]);
      EXPECT_NE(corners[k], corners[(k + 1) % 3]);
    }
    const int* normals = changed().mesh_facenormal + 3 * (changed().mesh_faceadr[0] + face);
    for (int k = 0; k < 3; ++k) EXPECT_LT(normals[k], original().mesh_normalnum[0]);
  }
}

TEST_F(CoarseMeshesTest, NothingElseOfTheModelChanges) {
  CoarsenMeshes(changed());
  EXPECT_EQ(changed().mesh_vertnum[0], original().mesh_vertnum[0]);
  for (int k = 0; k < 3 * original().nmeshvert; ++k)
    ASSERT_EQ(changed().mesh_vert[k], original().mesh_vert[k]);
}

}  // namespace
}  // namespace hivewire
