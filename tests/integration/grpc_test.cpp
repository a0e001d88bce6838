// The gRPC adapter with its example: no unary call fails over twenty restarts.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include "harness.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

constexpr int clients = 16;
constexpr int restarts = 20;

// Clients with one connection each, which start the next call as soon as the previous one is answered. No retry is
// configured; gRPC itself only resends calls that no server has seen.
class GrpcLoad {
  public:
    explicit GrpcLoad(const std::string& address) {
        for (int i = 0; i < clients; ++i)
            threads_.emplace_back([this, address, i](const std::stop_token& stop) { call_until(stop, address, i); });
    }
    GrpcLoad(const GrpcLoad&) = delete;
    GrpcLoad& operator=(const GrpcLoad&) = delete;
    ~GrpcLoad() { stop(); }

    void stop() {
        for (std::jthread& thread : threads_) thread.request_stop();
        threads_.clear();
    }
    void wait_for_more(std::uint64_t count) {
        std::unique_lock lock(mutex_);
        const std::uint64_t goal = succeeded_ + count;
        if (!changed_.wait_for(lock, test_timeout, [&] { return succeeded_ >= goal; }))
            throw std::runtime_error("too few calls were answered in time");
    }
    // After stop().
    std::uint64_t succeeded() const { return succeeded_; }
    const std::vector<std::string>& failures() const { return failures_; }
    const std::map<std::uint64_t, std::uint64_t>& by_generation() const { return by_generation_; }

  private:
    void call_until(const std::stop_token& stop, const std::string& address, int seed) {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
        grpc::GenericStub stub(channel);
        std::mt19937 random(static_cast<unsigned>(seed));
        while (!stop.stop_requested()) call(stub, std::uniform_int_distribution(0, 500)(random));
    }

    void call(grpc::GenericStub& stub, int milliseconds) {
        grpc::ClientContext context;
        context.AddMetadata("ms", std::to_string(milliseconds));
        context.set_deadline(std::chrono::system_clock::now() + test_timeout);
        const grpc::Slice body("a body of some length");
        const grpc::ByteBuffer request(&body, 1);
        grpc::ByteBuffer answer;
        grpc::Status status;
        grpc::CompletionQueue queue;
        const auto reader = stub.PrepareUnaryCall(&context, "/hello/Say", request, &queue);
        reader->StartCall();
        reader->Finish(&answer, &status, nullptr);
        void* tag = nullptr;
        bool is_done = false;
        queue.Next(&tag, &is_done);
        queue.Shutdown();
        while (queue.Next(&tag, &is_done)) continue;
        count(status, answer);
    }

    void count(const grpc::Status& status, const grpc::ByteBuffer& answer) {
        std::vector<grpc::Slice> slices;
        std::string text;
        if (status.ok() && answer.Dump(&slices).ok())
            for (const grpc::Slice& slice : slices)
                text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
        std::uint64_t generation = 0;
        std::from_chars(text.data(), text.data() + text.size(), generation);
        const std::lock_guard lock(mutex_);
        if (!text.ends_with(" OK")) {
            failures_.push_back(std::to_string(status.error_code()) + ": " + status.error_message() + text);
            return;
        }
        ++succeeded_;
        ++by_generation_[generation];
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t succeeded_ = 0;
    std::vector<std::string> failures_;
    std::map<std::uint64_t, std::uint64_t> by_generation_;
    std::vector<std::jthread> threads_;
};

TEST(GrpcAdapter, LosesNoCallOverTwentyRestarts) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0", "--workers", "2", "--settle", "50ms"};
    options.command = {program("grpc-hello")};
    SupervisorProcess run(options);
    run.wait_until_serving();
    GrpcLoad load(run.address());
    for (int i = 0; i < restarts; ++i) {
        load.wait_for_more(20);
        const CommandResult result = run.command("restart");
        ASSERT_TRUE(result.succeeded()) << "restart " << i + 1 << ": " << result.output;
    }
    load.wait_for_more(20);
    load.stop();
    std::cout << "grpc-hello: " << load.succeeded() << " calls answered, " << load.failures().size() << " failed\n";
    EXPECT_THAT(load.failures(), testing::IsEmpty());
    EXPECT_GE(load.by_generation().size(), std::size_t{restarts});
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("listener_revived"), 0U);
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
    EXPECT_EQ(run.log().await_count(std::size_t{restarts}, "rollout_done"), std::size_t{restarts});
}

}  // namespace
}  // namespace holdfast::test
