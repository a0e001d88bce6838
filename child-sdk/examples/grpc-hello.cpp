// A gRPC server without a schema: every method answers "<worker> OK" after the number of milliseconds in the metadata
// "ms".

#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <exception>
#include <holdfast/grpc.hpp>
#include <iostream>
#include <string>

#include "http_text.hpp"

namespace {

class Call : public grpc::ServerGenericBidiReactor {
  public:
    Call(holdfast::Worker& worker, const grpc::GenericCallbackServerContext& context, const std::string& worker_id)
        : counted_(worker.begin_request(context.method())) {
        const auto found = context.client_metadata().find("ms");
        const std::string_view text = found == context.client_metadata().end()
                                          ? std::string_view()
                                          : std::string_view(found->second.data(), found->second.size());
        duration_ = std::chrono::milliseconds(http_text::number(text).value_or(0));
        const grpc::Slice slice(worker_id + " OK");
        answer_ = grpc::ByteBuffer(&slice, 1);
        StartRead(&request_);
    }
    void OnReadDone(bool is_complete) override {
        if (!is_complete) return Finish(grpc::Status::CANCELLED);
        alarm_.Set(std::chrono::system_clock::now() + duration_,
                   [this](bool) { StartWriteAndFinish(&answer_, {}, grpc::Status::OK); });
    }
    void OnDone() override { delete this; }

  private:
    holdfast::Request counted_;
    std::chrono::milliseconds duration_{};
    grpc::ByteBuffer request_, answer_;
    grpc::Alarm alarm_;
};

class Hello : public grpc::CallbackGenericService {
  public:
    explicit Hello(holdfast::Worker& worker) : worker_(worker) {}
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
        return new Call(worker_, *context, worker_id_);
    }

  private:
    holdfast::Worker& worker_;
    const std::string worker_id_ = http_text::worker_id();
};

int run() {
    holdfast::Worker worker;
    Hello hello(worker);
    std::unique_ptr<grpc::Server> server;  // must outlive `connections`
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&hello);
    holdfast::GrpcConnections connections(worker, builder, grpc::InsecureServerCredentials(), std::chrono::seconds(1));
    server = builder.BuildAndStart();
    connections.serve(*server, worker.listen("grpc", http_text::address(":50051")));
    worker.close_last("grpc", [&] { server->Shutdown(); });
    worker.ready();
    return worker.wait();
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& failure) {
        std::cerr << "grpc-hello: " << failure.what() << '\n';
        return 1;
    }
}
