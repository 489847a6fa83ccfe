// Images over the wire: what a request can ask for reaches the renderer.
#include <gtest/gtest.h>

#include "client/vector_env.h"
#include "server/rpc/env_server.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

class RenderTest : public testing::Test {
 protected:
  void SetUp() override {
    EnvServerOptions options = TestServerOptions(folder_.Socket("env.sock"));
    options.render = true;
    server_ = StartTestServer(BuiltinEnvs(), options);
    VectorEnvOptions env_options;
    env_options.server = server_->addresses()[0];
    env_options.env_id = "Ant-v5";
    env_options.num_envs = 2;
    auto env = VectorEnv::Make(env_options);
    ASSERT_TRUE(env.ok()) << env.status();
    env_ = *std::move(env);
    StepResult result;
    ASSERT_TRUE(env_->Reset(1, result).ok());
    const auto image = env_->Render(1, "", 84, 84);
    if (!image.ok()) GTEST_SKIP() << "NOT TESTED, no GL: " << image.status();
  }

  std::string Image(bool without_shadows, bool without_reflections) {
    v1::RenderRequest request;
    request.set_width(84);
    request.set_height(84);
    request.set_without_shadows(without_shadows);
    request.set_without_reflections(without_reflections);
    const auto image = env_->Render(1, request);
    EXPECT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(image->env_id(), 1);
    EXPECT_EQ(image->image().size(), 84 * 84 * 3);
    return image->image();
  }

  const ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
  std::unique_ptr<VectorEnv> env_;
};

TEST_F(RenderTest, AnImageHasShadowsAndReflectionsUnlessTheyAreDeclined) {
  const std::string usual = Image(false, false);
  EXPECT_EQ(env_->Render(1, "", 84, 84)->image(), usual);
  EXPECT_NE(Image(/*without_shadows=*/true, false), usual);
  EXPECT_NE(Image(false, /*without_reflections=*/true), usual);
}

}  // namespace
}  // namespace hivewire
