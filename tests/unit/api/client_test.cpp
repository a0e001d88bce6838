#include "api/client/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "api/client/http_call.hpp"
#include "api_fixture.hpp"
#include "stub_supervisor.hpp"

namespace holdfast::api {
namespace {

using testing::HasSubstr;

// A parent directory for the runtime directories of a user that has no others.
class ClientTest : public testing::Test {
  protected:
    ClientTest() { std::filesystem::create_directories(directory_.path() + "/holdfast"); }

    // Returns the descriptor of a listening api.sock in the runtime directory of `name`.
    int listen_as(const std::string& name) const {
        const std::string directory = directory_.path() + "/holdfast/" + name;
        std::filesystem::create_directories(directory);
        const int fd = directory_.listen();
        std::filesystem::rename(directory_.socket_path(), directory + "/api.sock");
        return fd;
    }
    RuntimeEnvironment environment() const {
        // Not root's uid: services of root outside this test would be found as well.
        const uid_t uid = ::getuid() == 0 ? 64'242 : ::getuid();
        return {{}, runtime_directory_, directory_.path(), uid};
    }
    std::string error_of(const ServiceSelector& selector) const {
        const auto service = find_service(selector, environment());
        return service ? "found " + service->status.name : service.error().text;
    }

    ListeningDirectory directory_;
    std::string runtime_directory_;
};

TEST_F(ClientTest, FindsTheOnlySupervisorWithoutAName) {
    const StubSupervisor web("web", listen_as("web"));
    const auto service = find_service({}, environment());
    ASSERT_TRUE(service) << service.error().text;
    EXPECT_EQ(service->status.name, "web");
    EXPECT_EQ(service->directory, directory_.path() + "/holdfast/web");
    EXPECT_THAT(service->status_json, testing::StartsWith("{\"name\":\"web\""));
    EXPECT_EQ(service->status_json.back(), '}');
}

TEST_F(ClientTest, ListsTheServicesIfSeveralAreRunning) {
    const StubSupervisor web("web", listen_as("web"));
    const StubSupervisor api("api", listen_as("api"));
    EXPECT_THAT(error_of({}), HasSubstr("give the name of one: api, web"));
    EXPECT_EQ(find_service({.name = "web"}, environment())->status.name, "web");
    ASSERT_EQ(list_services(environment()).size(), 2U);
}

TEST_F(ClientTest, ReportsThatNoneIsRunning) {
    EXPECT_EQ(error_of({}), "no supervisor of this user is running");
    EXPECT_THAT(error_of({.name = "web"}), HasSubstr("no supervisor named web is running"));
    EXPECT_THAT(error_of({.name = "web"}), HasSubstr(directory_.path() + "/holdfast/web/api.sock"));
    EXPECT_THAT(error_of({.runtime_dir = "/nowhere"}), HasSubstr("/nowhere/api.sock: No such file"));
}

TEST_F(ClientTest, IgnoresTheSocketOfASupervisorThatHasEnded) {
    ::close(listen_as("web"));
    EXPECT_EQ(error_of({}), "no supervisor of this user is running");
    EXPECT_THAT(error_of({.name = "web"}), HasSubstr("no supervisor named web"));
}

TEST_F(ClientTest, PrefersTheSupervisorInRuntimeDirectory) {
    const StubSupervisor web("web", listen_as("web"));
    const StubSupervisor api("api", listen_as("api"));
    runtime_directory_ = directory_.path() + "/holdfast/api:/run/other";
    EXPECT_EQ(error_of({}), "found api");
    EXPECT_EQ(error_of({.name = "web"}), "found web") << "$RUNTIME_DIRECTORY is that of another service";
}

TEST_F(ClientTest, RefusesADirectoryOfAnotherService) {
    const StubSupervisor web("web", listen_as("web"));
    const std::string directory = directory_.path() + "/holdfast/web";
    EXPECT_EQ(error_of({.runtime_dir = directory}), "found web");
    EXPECT_THAT(error_of({.name = "api", .runtime_dir = directory}), HasSubstr("of web, not of api"));
}

TEST_F(ClientTest, ReturnsTheOutcome) {
    StubSupervisor web("web", listen_as("web"),
                       {core::Outcome::Result::mixed, "slot 1 could not be brought back", {"bye"}, 1});
    const auto service = find_service({.name = "web"}, environment());
    ASSERT_TRUE(service);
    const auto answer = scale(*service, 5, Wait::for_outcome);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->result, "mixed");
    EXPECT_EQ(answer->text, "slot 1 could not be brought back");
    EXPECT_EQ(answer->last_words, std::vector<std::string>{"bye"});
    EXPECT_EQ(answer->exit_code, 1);
    EXPECT_EQ(std::get<core::Scale>(web.asked().what).target, 5);
    EXPECT_TRUE(restart(*service, Wait::for_outcome));
    EXPECT_TRUE(std::holds_alternative<core::Restart>(web.asked().what));
    const auto stopped = stop(*service, Wait::no);
    ASSERT_TRUE(stopped);
    EXPECT_EQ(stopped->result, "accepted");
    EXPECT_TRUE(std::holds_alternative<core::Stop>(web.asked().what));
}

TEST_F(ClientTest, ReportsWhyARequestWasRejected) {
    const StubSupervisor web("web", listen_as("web"));
    const auto service = find_service({.name = "web"}, environment());
    ASSERT_TRUE(service);
    const auto answer = scale(*service, 5000, Wait::for_outcome);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text, HasSubstr("from 0 to 4096"));
}

TEST_F(ClientTest, ReportsASupervisorThatEndsBeforeItAnswers) {
    const int listening_fd = directory_.listen();
    std::thread ending([&] {
        const int fd = ::accept(listening_fd, nullptr, nullptr);
        char byte = 0;
        EXPECT_EQ(::recv(fd, &byte, 1, 0), 1);
        ::close(fd);
    });
    const auto reply = call(directory_.socket_path(), "POST", "/v1/stop", "");
    ending.join();
    ::close(listening_fd);
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().text, HasSubstr("it ended before it answered"));
}

TEST_F(ClientTest, TimesOutIfTheSupervisorDoesNotAnswer) {
    const int listening_fd = directory_.listen();
    const auto reply = call(directory_.socket_path(), "GET", "/v1/status", "", std::chrono::milliseconds(50));
    ::close(listening_fd);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ETIMEDOUT);
    EXPECT_THAT(reply.error().text, HasSubstr("it did not answer in time"));
}

TEST_F(ClientTest, TimesOutIfTheBacklogIsFull) {
    const int listening_fd = directory_.listen(0);
    const RawClient first(directory_.socket_path());
    const auto reply = call(directory_.socket_path(), "GET", "/v1/status", "", std::chrono::milliseconds(50));
    ::close(listening_fd);
    EXPECT_FALSE(reply);
}

}  // namespace
}  // namespace holdfast::api
