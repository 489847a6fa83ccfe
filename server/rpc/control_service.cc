#include "server/rpc/control_service.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/version.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "server/rpc/status.h"
#include "server/rpc/unary_step.h"
#include "server/sim/png.h"
#include "server/tasks/properties.h"

namespace hivewire {
namespace {

constexpr uint32_t kDefaultImageSize = 480;
constexpr uint32_t kMaxImageSize = 4096;

absl::Time DeadlineOf(const grpc::ServerContext& context) {
  return absl::FromChrono(context.deadline());
}

std::string Hostname() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

uint64_t ResidentBytes() {
  unsigned long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

grpc::Status NotSupported(absl::string_view what) {
  return ToGrpc(MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                          absl::StrCat(what, " is not supported by this server yet")));
}

absl::StatusOr<ImageRequest> CheckRender(const v1::RenderRequest& request,
                                         const v1::EnvSpec& spec) {
  if (!spec.renders()) {
    return MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                     absl::StrCat("env \"", spec.id(), "\" has nothing to render"), "pool_id",
                     request.pool_id());
  }
  const auto known = std::find(spec.cameras().begin(), spec.cameras().end(), request.camera());
  if (!request.camera().empty() && known == spec.cameras().end()) {
    return MakeError(
        v1::ERROR_REASON_BAD_OPTION,
        absl::StrCat(
            "camera: \"", request.camera(), "\" is none of: ", absl::StrJoin(spec.cameras(), ", "),
            spec.cameras().empty() ? "(the env has no named cameras; leave it empty)" : ""),
        "camera", request.camera());
  }
  ImageRequest image;
  image.camera = request.camera();
  image.default_camera = spec.default_camera();
  image.quality = {.shadows = !request.without_shadows(),
                   .reflections = !request.without_reflections(),
                   .multisampling = !request.without_multisampling()};
  image.width = request.width() == 0 ? kDefaultImageSize : request.width();
  image.height = request.height() == 0 ? kDefaultImageSize : request.height();
  for (const auto& [field, size] :
       {std::pair("width", image.width), std::pair("height", image.height)}) {
    if (size > kMaxImageSize) {
      return MakeError(v1::ERROR_REASON_LIMIT,
                       absl::StrCat(field, ": ", size, " is more than ", kMaxImageSize, " pixels"),
                       field, absl::StrCat(size));
    }
  }
  return image;
}

}  // namespace

ControlService::ControlService(PoolTable& pools, RenderThread* renderer,
                               std::function<uint64_t()> num_sessions, bool rollouts)
    : pools_(pools),
      renderer_(renderer),
      num_sessions_(std::move(num_sessions)),
      rollouts_(rollouts),
      started_(absl::Now()) {}

void ControlService::AddTo(BlockingCalls& calls) {
  const std::string service = v1::EnvControl::service_full_name();
  const auto add = [&](const char* method, auto handler) {
    calls.AddUnary(service, method, this, handler);
  };
  add("GetServerInfo", &ControlService::GetServerInfo);
  add("ListEnvs", &ControlService::ListEnvs);
  add("DescribeEnv", &ControlService::DescribeEnv);
  add("CreatePool", &ControlService::CreatePool);
  add("RenewLease", &ControlService::RenewLease);
  add("ReleasePool", &ControlService::ReleasePool);
  add("ListPools", &ControlService::ListPools);
  add("Reset", &ControlService::Reset);
  add("Step", &ControlService::Step);
  add("SaveState", &ControlService::SaveState);
  add("LoadState", &ControlService::LoadState);
  add("GetProperties", &ControlService::GetProperties);
  add("SetProperties", &ControlService::SetProperties);
  add("GetStatistics", &ControlService::GetStatistics);
  calls.AddServerStreaming(service, "Render", this, &ControlService::Render);
}

grpc::Status ControlService::GetServerInfo(const grpc::ServerContext&,
                                           const v1::GetServerInfoRequest&,
                                           v1::GetServerInfoResponse& response) {
  response.set_wire_version(kWireVersion);
  response.set_edition(std::string(kEdition));
  for (const absl::string_view capability : {"session", "unary", "snapshots", "properties"}) {
    response.add_capabilities(std::string(capability));
  }
  if (rollouts_) response.add_capabilities("rollouts");
  if (renderer_ != nullptr) {
    response.add_capabilities("render");
    response.set_renderer(renderer_->backend());
  }
  response.set_build(absl::StrCat("hivewire env_server ", kVersion));
  response.set_engine(absl::StrCat("mujoco-", mj_versionString()));
  response.set_hostname(Hostname());
  response.set_num_workers(static_cast<uint32_t>(pools_.workers().size()));
  response.set_max_lanes(pools_.limits().max_lanes);
  response.set_max_message_bytes(pools_.limits().max_message_bytes);
  response.set_draining(pools_.draining());
  return grpc::Status::OK;
}

grpc::Status ControlService::ListEnvs(const grpc::ServerContext&,
                                      const v1::ListEnvsRequest& request,
                                      v1::ListEnvsResponse& response) {
  for (const v1::EnvEntry* entry : pools_.registry().entries()) {
    if (!absl::StrContains(entry->id(), request.filter())) continue;
    auto& env = *response.add_envs();
    env.set_id(entry->id());
    env.set_description(entry->description());
  }
  return grpc::Status::OK;
}

grpc::Status ControlService::DescribeEnv(const grpc::ServerContext&,
                                         const v1::DescribeEnvRequest& request,
                                         v1::DescribeEnvResponse& response) {
  const auto task = pools_.registry().Make(
      request.env_id(), Options(request.options().begin(), request.options().end()));
  if (!task.ok()) return ToGrpc(task.status());
  *response.mutable_spec() = FullSpec(**task);
  return grpc::Status::OK;
}

grpc::Status ControlService::CreatePool(const grpc::ServerContext& context,
                                        const v1::CreatePoolRequest& request,
                                        v1::CreatePoolResponse& response) {
  const auto hosted = pools_.Create(request);
  if (!hosted.ok()) {
    spdlog::info("CreatePool of {} refused: {}", context.peer(),
                 std::string(hosted.status().message()));
    return ToGrpc(hosted.status());
  }
  *response.mutable_pool() = (*hosted)->description();
  response.set_lease_token((*hosted)->token());
  return grpc::Status::OK;
}

grpc::Status ControlService::RenewLease(const grpc::ServerContext&,
                                        const v1::RenewLeaseRequest& request,
                                        v1::RenewLeaseResponse& response) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  (*hosted)->Touch();
  response.set_lease_ttl_ms((*hosted)->description().lease_ttl_ms());
  return grpc::Status::OK;
}

grpc::Status ControlService::ReleasePool(const grpc::ServerContext&,
                                         const v1::ReleasePoolRequest& request,
                                         v1::ReleasePoolResponse&) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  pools_.Release(*hosted);
  return grpc::Status::OK;
}

grpc::Status ControlService::ListPools(const grpc::ServerContext&, const v1::ListPoolsRequest&,
                                       v1::ListPoolsResponse& response) {
  for (const auto& hosted : pools_.List()) {
    auto& pool = *response.add_pools();
    pool.set_pool_id(hosted->id());
    pool.set_env_id(hosted->description().spec().id());
    pool.set_num_envs(hosted->description().num_envs());
    pool.set_client_name(hosted->client_name());
    pool.set_attached(hosted->attached());
    pool.set_lease_left_ms(
        static_cast<uint64_t>(absl::ToInt64Milliseconds(hosted->LeaseLeft(absl::Now()))));
    pool.set_steps(hosted->pool().statistics().steps);
  }
  return grpc::Status::OK;
}

grpc::Status ControlService::Reset(const grpc::ServerContext& context,
                                   const v1::ResetRequest& request, v1::ResetResponse& response) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  return ToGrpc(UnaryReset(**hosted, request, DeadlineOf(context), *response.mutable_rows()));
}

grpc::Status ControlService::Step(const grpc::ServerContext& context,
                                  const v1::StepRequest& request, v1::StepResponse& response) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  return ToGrpc(UnaryStep(**hosted, request, DeadlineOf(context), *response.mutable_rows()));
}

grpc::Status ControlService::SaveState(const grpc::ServerContext&,
                                       const v1::SaveStateRequest& request,
                                       v1::SaveStateResponse& response) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  const auto snapshots = (*hosted)->pool().Save(
      {request.env_ids().data(), static_cast<size_t>(request.env_ids_size())});
  if (!snapshots.ok()) return ToGrpc(snapshots.status());
  response.mutable_snapshots()->Assign(snapshots->begin(), snapshots->end());
  return grpc::Status::OK;
}

grpc::Status ControlService::LoadState(const grpc::ServerContext& context,
                                       const v1::LoadStateRequest& request,
                                       v1::LoadStateResponse& response) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  return ToGrpc(UnaryLoad(**hosted, request, DeadlineOf(context), *response.mutable_rows()));
}

grpc::Status ControlService::GetProperties(const grpc::ServerContext&,
                                           const v1::GetPropertiesRequest& request,
                                           v1::GetPropertiesResponse& response) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  return ToGrpc((*hosted)->pool().GetProperties(request.env_ids(), request.names(),
                                                *response.mutable_lanes()));
}

grpc::Status ControlService::SetProperties(const grpc::ServerContext&,
                                           const v1::SetPropertiesRequest& request,
                                           v1::SetPropertiesResponse&) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  return ToGrpc((*hosted)->pool().SetProperties(request.lanes()));
}

grpc::Status ControlService::Render(BlockingCall& call, const v1::RenderRequest& request) {
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  if (request.format() == v1::IMAGE_FORMAT_RAW_DEPTH)
    return NotSupported("format IMAGE_FORMAT_RAW_DEPTH");
  if (!v1::ImageFormat_IsValid(request.format())) {
    return ToGrpc(MakeError(v1::ERROR_REASON_BAD_OPTION,
                            absl::StrCat("format: ", static_cast<int>(request.format()),
                                         " is not a value of ImageFormat"),
                            "format", absl::StrCat(static_cast<int>(request.format()))));
  }
  Pool& pool = (*hosted)->pool();
  absl::StatusOr<ImageRequest> image_request =
      CheckRender(request, (*hosted)->description().spec());
  if (!image_request.ok()) return ToGrpc(image_request.status());
  if (renderer_ == nullptr) {
    return ToGrpc(MakeError(
        v1::ERROR_REASON_NO_RENDERER,
        "this server has no renderer: neither EGL nor OSMesa could be started on its machine"));
  }
  image_request->model = pool.spec().task().model();
  std::vector<uint32_t> lanes(request.env_ids().begin(), request.env_ids().end());
  if (lanes.empty()) {
    for (uint32_t lane = 0; lane < pool.spec().num_lanes(); ++lane) lanes.push_back(lane);
  }
  for (const uint32_t lane : lanes) {
    absl::StatusOr<Pool::Scene> scene = pool.SceneOf(lane);
    if (!scene.ok()) return ToGrpc(scene.status());
    image_request->state = std::move(scene->state);
    image_request->overrides = std::move(scene->overrides);
    image_request->edit_model = std::move(scene->edit_model);
    image_request->editor = pool.spec().shared_task();
    image_request->center = (*hosted)->ViewOf(lane);
    const absl::StatusOr<Image> image = renderer_->Render(*image_request);
    if (!image.ok()) return ToGrpc(image.status());
    if (image_request->camera.empty()) (*hosted)->KeepView(lane, image->center);
    v1::RenderResponse response;
    response.set_env_id(lane);
    response.set_width(image->width);
    response.set_height(image->height);
    if (request.format() == v1::IMAGE_FORMAT_PNG) {
      absl::StatusOr<std::string> png = EncodePng(*image);
      if (!png.ok()) return ToGrpc(png.status());
      response.set_format(v1::IMAGE_FORMAT_PNG);
      response.set_image(*std::move(png));
    } else {
      response.set_format(v1::IMAGE_FORMAT_RAW_RGB);
      response.set_image(image->pixels.data(), image->pixels.size());
    }
    if (!call.Write(response) || call.cancelled())
      return ToGrpc(absl::CancelledError("the client is gone"));
  }
  return grpc::Status::OK;
}

grpc::Status ControlService::GetStatistics(const grpc::ServerContext&,
                                           const v1::GetStatisticsRequest& request,
                                           v1::GetStatisticsResponse& response) {
  const auto add = [&](const Pool::Statistics& part) {
    response.set_steps(response.steps() + part.steps);
    response.set_resets(response.resets() + part.resets);
    response.set_episodes(response.episodes() + part.episodes);
    response.set_faults(response.faults() + part.faults);
    response.set_batches(response.batches() + part.batches);
    response.set_worker_busy_seconds(response.worker_busy_seconds() + part.busy_seconds);
  };
  std::vector<std::shared_ptr<HostedPool>> pools;
  if (request.pool_id().empty()) {
    pools = pools_.List();
    add(pools_.past_statistics());
  } else {
    auto hosted = pools_.Find(request.pool_id());
    if (!hosted.ok()) return ToGrpc(hosted.status());
    pools.push_back(*std::move(hosted));
  }
  for (const auto& hosted : pools) {
    add(hosted->pool().statistics());
    response.set_lanes(response.lanes() + hosted->description().num_envs());
  }
  response.set_pools(pools.size());
  response.set_sessions(num_sessions_());
  response.set_uptime(absl::ToDoubleSeconds(absl::Now() - started_));
  response.set_resident_bytes(ResidentBytes());
  return grpc::Status::OK;
}

}  // namespace hivewire
