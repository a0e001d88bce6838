// cpp-httplib on connections that the SDK accepts.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <holdfast/httplib.hpp>
#include <optional>
#include <string>
#include <vector>

#include "call_recorder.hpp"
#include "client.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Httplib : ::testing::Test {
    Httplib() {
        server.Get("/who", [](const httplib::Request& request, httplib::Response& answer) {
            answer.set_content(request.remote_addr, "text/plain");
        });
        server.Get("/held", [this](const httplib::Request&, httplib::Response& answer) {
            std::string held;
            for (const std::string& line : lines_of(worker.report().waiting)) held += line + "; ";
            answer.set_content(held, "text/plain");
        });
        server.Get("/stream", [](const httplib::Request&, httplib::Response& answer) {
            answer.set_content_provider(9, "text/plain", [](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                const std::string part = std::to_string(offset / 3) + ".\n";
                return sink.write(part.data(), part.size());
            });
        });
        server.Get("/endless", [](const httplib::Request&, httplib::Response& answer) {
            answer.set_chunked_content_provider("text/plain", [](std::size_t, httplib::DataSink& sink) {
                const std::string part(1000, 'x');
                return sink.write(part.data(), part.size());
            });
        });
        server.Post("/echo", [](const httplib::Request& request, httplib::Response& answer) {
            answer.set_content(request.body, "text/plain");
        });
        Listener listener = worker.listen("http", "127.0.0.1:0");
        endpoint.emplace(listener);
        server.serve(std::move(listener));
        worker.ready();
        waiter.emplace(worker);
    }

    // Sends all requests at once, of which the last closes the connection. Returns everything that the server sends.
    std::string ask(const std::vector<std::string>& requests) const {
        const Client client(*endpoint);
        std::string bytes;
        for (const std::string& request : requests) bytes += request;
        client.send(bytes);
        return client.read_to_end();
    }

    void TearDown() override {
        supervisor.send_stage(Stage::cancel);
        waiter->status();
    }

    FakeSupervisor supervisor;
    Worker worker{{.keep_alive_min = std::chrono::hours(1)}};
    HttplibServer server{worker};
    std::optional<Endpoint> endpoint;
    std::optional<Waiter> waiter;
};

std::string get(const std::string& path, const std::string& headers = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n";
}

const std::string closes = "Connection: close\r\n";

TEST_F(Httplib, AnswersPipelinedRequests) {
    const std::string body = "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody";
    const std::string answers = ask({get("/stream"), body, get("/who", closes)});
    EXPECT_THAT(answers, HasSubstr("0.\n1.\n2.\n"));
    EXPECT_THAT(answers, HasSubstr("\r\n\r\nbodyHTTP/1.1 200 OK"));
    EXPECT_TRUE(answers.ends_with("\r\n\r\n127.0.0.1"));
}

TEST_F(Httplib, CountsARequestByMethodAndPath) {
    EXPECT_THAT(ask({get("/held?ms=1", closes)}), HasSubstr("request GET /held; "));
    EXPECT_EQ(worker.report().served, 1U);
}

TEST_F(Httplib, ServesDescriptorsBeyondTheLimitOfSelect) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min(limit.rlim_max, rlim_t{2} * FD_SETSIZE);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::vector<int> low;
    while (low.empty() || low.back() < FD_SETSIZE) {
        low.push_back(::fcntl(endpoint->fd, F_DUPFD_CLOEXEC, 0));
        if (low.back() < 0) GTEST_SKIP() << "the descriptor limit is too low";
    }
    const std::string answer = ask({get("/who", closes)});
    for (const int fd : low) ::close(fd);
    EXPECT_THAT(answer, HasSubstr("200 OK"));
}

TEST_F(Httplib, AnswersWithConnectionCloseDuringADrain) {
    const Client client(*endpoint);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    client.send(get("/who"));
    EXPECT_THAT(client.read_to_end(), HasSubstr("Connection: close\r\n"));
}

TEST_F(Httplib, AnswersABodyThatIsTooLongBeforeItComes) {
    server.set_payload_max_length(1000);
    const Client announced(*endpoint), chunked(*endpoint);
    announced.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_THAT(announced.read_to_end(), ::testing::StartsWith("HTTP/1.1 413"));
    const std::string chunk = "100\r\n" + std::string(0x100, 'x') + "\r\n";
    chunked.send("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + chunk +
                 chunk);
    EXPECT_THAT(chunked.read_to_end(), ::testing::StartsWith("HTTP/1.1 413"));
    EXPECT_THAT(ask({get("/who", closes)}), HasSubstr("200 OK"));
}

TEST_F(Httplib, AbortsAStreamAtTheCancel) {
    const Client client(*endpoint);
    client.send(get("/endless"));
    EXPECT_EQ(client.read_line(), "HTTP/1.1 200 OK\r");
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    supervisor.send_stage(Stage::cancel);
    EXPECT_THAT(client.read_to_end(), Not(HasSubstr("\r\n0\r\n")));  // the proper end of a chunked response
}

}  // namespace
}  // namespace holdfast::testing
