// What a stream costs before anybody serves envs over it: a server that answers each frame of a
// session at once with a batch of the same size every time, over a Unix socket. Once with gRPC's
// synchronous API, once with its callbacks, and once on one thread that looks after a completion
// queue as an env server's workers do; the client is synchronous. Prints a JSON array.
//
// With --api it is that server, and takes --listen and --ready_file.
#include <grpcpp/grpcpp.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "base/json.h"
#include "client/stepping.h"
#include "hivewire/v1/session.grpc.pb.h"
#include "tests/bench/cpu_time.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::string, api, "", "Serve with this one: sync, callback or queue.");
ABSL_FLAG(std::string, listen, "", "Comma-separated addresses, of which the first counts.");
ABSL_FLAG(std::string, ready_file, "", "Written once the server serves.");
ABSL_FLAG(int, down, 1000, "Bytes of a batch.");
ABSL_FLAG(int, rounds, 5, "Of which medians are taken; the servers take turns in each.");
ABSL_FLAG(double, seconds, 1, "Of one turn.");

namespace hivewire {
namespace {

// The messages of one lane of Ant, and of 32 lanes of HalfCheetah of which two groups are in
// flight.
struct Exchange {
  const char* what;
  int in_flight, up, down;
};
constexpr Exchange kExchanges[] = {{"one Ant lane", 1, 64, 1000},
                                   {"32 HalfCheetah lanes", 2, 780, 6480}};

v1::ServerFrame MakeAnswer() {
  v1::ServerFrame answer;
  answer.mutable_batch()->mutable_payload()->resize(static_cast<size_t>(absl::GetFlag(FLAGS_down)));
  return answer;
}

class SyncEcho final : public v1::EnvSession::Service {
  grpc::Status Connect(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ServerFrame, v1::ClientFrame>* stream) override {
    const v1::ServerFrame answer = MakeAnswer();
    v1::ClientFrame frame;
    while (stream->Read(&frame) && stream->Write(answer)) continue;
    return grpc::Status::OK;
  }
};

class CallbackEcho final : public v1::EnvSession::CallbackService {
  // Two frames are in flight at most, and the second waits for the first's answer to be written.
  class Reactor final : public grpc::ServerBidiReactor<v1::ClientFrame, v1::ServerFrame> {
   public:
    Reactor() : answer_(MakeAnswer()) { StartRead(&frame_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      StartWrite(&answer_);
    }
    void OnWriteDone(bool) override { StartRead(&frame_); }
    void OnDone() override { delete this; }

   private:
    const v1::ServerFrame answer_;
    v1::ClientFrame frame_;
  };

  grpc::ServerBidiReactor<v1::ClientFrame, v1::ServerFrame>* Connect(
      grpc::CallbackServerContext*) override {
    return new Reactor;
  }
};

// One session at a time, all on the thread that waits for the completion queue.
class QueueEcho {
 public:
  explicit QueueEcho(grpc::ServerBuilder& builder)
      : answer_(MakeAnswer()), queue_(builder.AddCompletionQueue()) {
    builder.RegisterService(&service_);
  }

  void Run() {
    Accept();
    void* tag = nullptr;
    bool ok = false;
    while (Next(tag, ok)) {
      const bool read = tag == &frame_;
      if (read && !ok) {
        Accept();
      } else if (read) {
        stream_->Write(answer_, &writing_);
      } else if (ok) {
        stream_->Read(&frame_, &frame_);
      }
    }
  }

 private:
  // Looks for a while before it waits.
  bool Next(void*& tag, bool& ok) {
    const absl::Time until = absl::Now() + absl::Microseconds(100);
    while (absl::Now() < until) {
      if (queue_->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_REALTIME)) ==
          grpc::CompletionQueue::GOT_EVENT)
        return true;
      sched_yield();
    }
    return queue_->Next(&tag, &ok);
  }

  void Accept() {
    stream_.reset();
    context_ = std::make_unique<grpc::ServerContext>();
    stream_ = std::make_unique<grpc::ServerAsyncReaderWriter<v1::ServerFrame, v1::ClientFrame>>(
        context_.get());
    service_.RequestConnect(context_.get(), stream_.get(), queue_.get(), queue_.get(), &context_);
  }

  const v1::ServerFrame answer_;
  v1::EnvSession::AsyncService service_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::ServerContext> context_;
  std::unique_ptr<grpc::ServerAsyncReaderWriter<v1::ServerFrame, v1::ClientFrame>> stream_;
  v1::ClientFrame frame_;
  char writing_ = 0;
};

int Serve() {
  const std::string address =
      std::vector<std::string>(absl::StrSplit(absl::GetFlag(FLAGS_listen), ','))[0];
  SyncEcho sync;
  CallbackEcho callback;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  std::unique_ptr<QueueEcho> queue;
  if (absl::GetFlag(FLAGS_api) == "queue") {
    queue = std::make_unique<QueueEcho>(builder);
  } else if (absl::GetFlag(FLAGS_api) == "sync") {
    builder.RegisterService(&sync);
  } else {
    builder.RegisterService(&callback);
  }
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  const std::string ready = absl::GetFlag(FLAGS_ready_file);
  std::ofstream(ready + ".new") << address << '\n';
  if (std::rename((ready + ".new").c_str(), ready.c_str()) != 0) return 1;
  if (queue != nullptr) queue->Run();
  server->Wait();  // until the parent's SIGTERM
  return 0;
}

class Client {
 public:
  Client(const ServerProcess& server, const Exchange& exchange)
      : server_(server),
        stub_(v1::EnvSession::NewStub(
            grpc::CreateChannel(server.unix_address(), grpc::InsecureChannelCredentials()))),
        stream_(stub_->Connect(&context_)) {
    frame_.mutable_step()->mutable_actions()->resize(static_cast<size_t>(exchange.up));
    for (int k = 0; k < exchange.in_flight; ++k) stream_->Write(frame_);
  }
  ~Client() { context_.TryCancel(); }

  absl::Status Turn(double seconds) {
    const absl::Time end = absl::Now() + absl::Seconds(seconds);
    const double cpu = CpuSeconds();
    int64_t messages = 0;
    for (absl::Time sent = absl::Now(); sent < end; ++messages) {
      if (!stream_->Read(&answer_)) return absl::UnavailableError("the server is gone");
      const absl::Time received = absl::Now();
      round_trips_.push_back(absl::ToDoubleSeconds(received - sent));
      sent = received;
      if (!stream_->Write(frame_)) return absl::UnavailableError("the server is gone");
    }
    cpu_per_message_.push_back((CpuSeconds() - cpu) / static_cast<double>(2 * messages));
    return absl::OkStatus();
  }

  double round_trip() const { return Median(round_trips_); }
  double cpu_per_message() const { return Median(cpu_per_message_); }

 private:
  double CpuSeconds() const {
    return CpuSecondsBesideWorkers(getpid()) + CpuSecondsBesideWorkers(server_.pid());
  }

  const ServerProcess& server_;
  grpc::ClientContext context_;
  const std::unique_ptr<v1::EnvSession::Stub> stub_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::ClientFrame, v1::ServerFrame>> stream_;
  v1::ClientFrame frame_;
  v1::ServerFrame answer_;
  std::vector<double> round_trips_, cpu_per_message_;
};

absl::StatusOr<std::string> Measure() {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::vector<std::string> apis = {"sync", "callback", "queue"};
  std::vector<std::unique_ptr<ServerProcess>> servers;
  for (const Exchange& exchange : kExchanges) {
    for (const std::string& api : apis) {
      auto server = ServerProcess::Start(
          self, {absl::StrCat("--api=", api), absl::StrCat("--down=", exchange.down)});
      if (!server.ok()) return server.status();
      servers.push_back(*std::move(server));
    }
  }
  TuneGrpcClient();
  std::vector<std::string> rows;
  for (size_t k = 0; k < std::size(kExchanges); ++k) {
    const Exchange& exchange = kExchanges[k];
    std::vector<std::unique_ptr<Client>> clients;
    for (size_t api = 0; api < apis.size(); ++api)
      clients.push_back(std::make_unique<Client>(*servers[k * apis.size() + api], exchange));
    for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
      for (const auto& client : clients) {
        const absl::Status status = client->Turn(absl::GetFlag(FLAGS_seconds));
        if (!status.ok()) return status;
      }
    }
    for (size_t api = 0; api < apis.size(); ++api) {
      rows.push_back(JsonObject()
                         .Add("what", exchange.what)
                         .Add("api", apis[api])
                         .Add("in_flight", exchange.in_flight)
                         .Add("bytes_up", exchange.up)
                         .Add("bytes_down", exchange.down)
                         .Add("round_trip_p50_us", 1e6 * clients[api]->round_trip())
                         .Add("cpu_us_per_message", 1e6 * clients[api]->cpu_per_message())
                         .ToString());
      absl::FPrintF(stderr, "gRPC alone, %s, %s: %.0f us a round trip, %.0f us of CPU a message\n",
                    exchange.what, apis[api], 1e6 * clients[api]->round_trip(),
                    1e6 * clients[api]->cpu_per_message());
    }
  }
  return absl::StrCat("[", absl::StrJoin(rows, ", "), "]");
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpc();
  absl::ParseCommandLine(argc, argv);
  if (!absl::GetFlag(FLAGS_api).empty()) return hivewire::Serve();
  const absl::StatusOr<std::string> rows = hivewire::Measure();
  if (rows.ok()) std::puts(rows->c_str());
  return hivewire::ExitStatus("grpc_floor", rows.status());
}
