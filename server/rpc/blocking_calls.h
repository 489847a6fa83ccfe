// Calls whose handlers may wait: each runs on a thread of its own while the messages come and go
// through the CallQueue. Methods are added by name; one that nobody added is answered
// UNIMPLEMENTED.
#ifndef HIVEWIRE_SERVER_RPC_BLOCKING_CALLS_H_
#define HIVEWIRE_SERVER_RPC_BLOCKING_CALLS_H_

#include <google/protobuf/message.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server/rpc/call_queue.h"
#include "server/rpc/call_threads.h"

namespace hivewire {

// One call, for its handler.
class BlockingCall {
 public:
  virtual ~BlockingCall() = default;

  // The client's next message. False after its last one, where the call is broken, or where the
  // bytes are no such message; the call then ends with that error, whatever the handler returns.
  virtual bool Read(google::protobuf::Message& message) = 0;
  // False where the client is gone.
  virtual bool Write(const google::protobuf::Message& message) = 0;
  // The client is gone, or has lost patience.
  virtual bool cancelled() const = 0;
  // Breaks the call off. From any thread, while the handler runs.
  virtual void Cancel() = 0;
  virtual const grpc::ServerContext& context() = 0;
};

class BlockingCalls {
 public:
  // Returns what the call comes to.
  using Handler = std::function<grpc::Status(BlockingCall&)>;

  BlockingCalls() = default;
  BlockingCalls(const BlockingCalls&) = delete;
  BlockingCalls& operator=(const BlockingCalls&) = delete;

  // `service` as "package.Service". All before Serve.
  void Add(const std::string& service, const std::string& method, Handler handler);

  // A method of one request and one response, which a member function of `owner` answers; it
  // outlives this.
  template <typename Owner, typename Request, typename Response>
  void AddUnary(const std::string& service, const std::string& method, Owner* owner,
                grpc::Status (Owner::*handler)(const grpc::ServerContext&, const Request&,
                                               Response&)) {
    Add(service, method, [owner, handler](BlockingCall& call) {
      Request request;
      if (!call.Read(request)) return NoRequest();
      Response response;
      const grpc::Status status = (owner->*handler)(call.context(), request, response);
      if (status.ok()) call.Write(response);
      return status;
    });
  }

  // The same for a method of one request and a stream of responses, which the handler writes.
  template <typename Owner, typename Request>
  void AddServerStreaming(const std::string& service, const std::string& method, Owner* owner,
                          grpc::Status (Owner::*handler)(BlockingCall&, const Request&)) {
    Add(service, method, [owner, handler](BlockingCall& call) {
      Request request;
      return call.Read(request) ? (owner->*handler)(call, request) : NoRequest();
    });
  }

  // "package.Service" of every method, sorted.
  std::vector<std::string> services() const;

  grpc::AsyncGenericService& service() { return service_; }
  // Takes calls on `queue`, from when the server has started until it shuts down.
  void Serve(CallQueue& queue);

 private:
  class Call;

  static grpc::Status NoRequest();

  grpc::AsyncGenericService service_;
  std::map<std::string, Handler> handlers_;
  CallThreads threads_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_BLOCKING_CALLS_H_
