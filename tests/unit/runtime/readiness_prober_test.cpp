// Readiness probes with real sockets and various peers.

#include "runtime/readiness_prober.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <array>

#include <optional>
#include <thread>

#include "os/connect.hpp"
#include "os/listener.hpp"

namespace holdfast::runtime {
namespace {

using Answer = core::ProbeAnswered::Answer;
using Where = core::ReadyProbe::Where;

struct ReadinessProberTest : ::testing::Test {
    ReadinessProberTest() {
        worker.id = WorkerId{7};
        auto opened = os::open_listeners(*parse_listen_address("127.0.0.1:0"));
        listener = std::move(opened->front());
    }

    void ask_by(core::ReadyProbe::How how, std::string path = "/") {
        worker.probe = {how, Where::address, listener.bound, std::move(path)};
    }

    // A peer that accepts one connection, reads the request, sends the answer, and closes the connection.
    std::string serve_once(const std::string& answer, int listener_fd) const {
        const os::UniqueFd client{::accept(listener_fd, nullptr, nullptr)};
        std::string received;
        std::array<char, 4096> buffer{};
        while (!received.ends_with("\r\n\r\n")) {
            const auto got = ::recv(client.get(), buffer.data(), buffer.size(), 0);
            if (got <= 0) break;
            received.append(buffer.data(), static_cast<std::size_t>(got));
        }
        static_cast<void>(!::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL));
        return received;
    }

    core::ProbeAnswered ask() {
        prober.probe(worker);
        return next();
    }
    core::ProbeAnswered next() {
        answers.clear();
        io.restart();
        while (answers.empty() && io.run_one() > 0) {
        }
        EXPECT_EQ(answers.size(), 1U);
        return answers.empty() ? core::ProbeAnswered{} : answers.front();
    }
    core::ProbeAnswered ask(const std::string& answer) {
        std::jthread peer([&] { request = serve_once(answer, listener.fd.get()); });
        return ask();
    }

    boost::asio::io_context io;
    std::vector<core::ProbeAnswered> answers;
    EventQueue event_queue{
        io, [this](const core::Event& event) { answers.push_back(std::get<core::ProbeAnswered>(event)); }};
    ReadinessProber prober{io, event_queue};
    Worker worker;
    os::Listener listener;
    std::string request;
};

TEST_F(ReadinessProberTest, ConnectIsGoodIfAServerListens) {
    ask_by(core::ReadyProbe::How::tcp);
    const auto answer = ask();
    EXPECT_EQ(answer.worker, WorkerId{7});
    EXPECT_EQ(answer.answer, Answer::good) << answer.text;
}

TEST_F(ReadinessProberTest, ConnectIsBadIfNoServerListens) {
    ask_by(core::ReadyProbe::How::tcp);
    listener.fd.reset();
    const auto answer = ask();
    EXPECT_EQ(answer.answer, Answer::bad);
    EXPECT_EQ(answer.text, "connection refused");
}

TEST_F(ReadinessProberTest, HttpRequestsThePathAndAccepts2xxAnd3xx) {
    ask_by(core::ReadyProbe::How::http, "/ready?now");
    for (const std::string status : {"200 OK", "204", "302 Found", "399 x"}) {
        EXPECT_EQ(ask("HTTP/1.1 " + status + "\r\n\r\n").answer, Answer::good) << status;
    }
    EXPECT_TRUE(request.starts_with("GET /ready?now HTTP/1.1\r\nHost: " + listener.bound + "\r\n")) << request;
    EXPECT_NE(request.find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST_F(ReadinessProberTest, HttpReportsAnyOtherStatusCode) {
    ask_by(core::ReadyProbe::How::http);
    for (const std::string code : {"199", "400", "404", "500", "503"}) {
        const auto answer = ask("HTTP/1.0 " + code + " Words\r\nContent-Length: 0\r\n\r\n");
        EXPECT_EQ(answer.answer, Answer::bad);
        EXPECT_EQ(answer.text, "HTTP " + code);
    }
}

TEST_F(ReadinessProberTest, HttpRejectsOtherProtocols) {
    ask_by(core::ReadyProbe::How::http);
    for (const std::string answer : {"220 mail.example.org\r\n", "HTTP/2.0 200\r\n", "HTTP/1.1 2000\r\n", "HTTP/1.1 2",
                                     "HTTP/1.1 020 x\r\n", "HTTP/1.1  200\r\n"}) {
        EXPECT_EQ(ask(answer).text, "its response is not HTTP") << answer;
    }
    EXPECT_EQ(ask("").text, "it closed the connection without a response");
}

TEST_F(ReadinessProberTest, HttpDecidesAsSoonAsTheStatusIsComplete) {
    ask_by(core::ReadyProbe::How::http);
    // The peer sends 14 bytes and then neither more bytes nor the end.
    std::optional<os::UniqueFd> client;
    std::jthread peer([&] {
        client.emplace(::accept(listener.fd.get(), nullptr, nullptr));
        ::send(client->get(), "HTTP/1.1 200 O", 14, MSG_NOSIGNAL);
    });
    EXPECT_EQ(ask().answer, Answer::good);
}

TEST_F(ReadinessProberTest, TimesOutIfThereIsNoResponse) {
    ask_by(core::ReadyProbe::How::http);
    const auto answer = ask();  // the kernel connects, but the connection is not accepted
    EXPECT_EQ(answer.answer, Answer::bad);
    EXPECT_EQ(answer.text, "no response within 1.0 s");
}

TEST_F(ReadinessProberTest, TimesOutIfTheResponseIsIncomplete) {
    ask_by(core::ReadyProbe::How::http);
    std::jthread peer([&] {
        const os::UniqueFd client{::accept(listener.fd.get(), nullptr, nullptr)};
        std::array<char, 1024> buffer{};
        // Sends a part of a response and then only reads until the prober closes the connection after its timeout.
        ::send(client.get(), "HTTP", 4, MSG_NOSIGNAL);
        while (::recv(client.get(), buffer.data(), buffer.size(), 0) > 0) {
        }
    });
    EXPECT_EQ(ask().text, "no response within 1.0 s");
}

TEST_F(ReadinessProberTest, OfAForgottenWorkerReportsNothing) {
    ask_by(core::ReadyProbe::How::http);
    prober.probe(worker);
    prober.forget(worker.id);
    io.run();
    EXPECT_TRUE(answers.empty());
}

TEST_F(ReadinessProberTest, TwiceReportsTwice) {
    ask_by(core::ReadyProbe::How::tcp);
    prober.probe(worker);
    prober.probe(worker);
    io.run();
    EXPECT_EQ(answers.size(), 2U);
}

TEST_F(ReadinessProberTest, IsGoodForAWorkerThatWasLaunchedWithoutAProbe) { EXPECT_EQ(ask().answer, Answer::good); }

TEST_F(ReadinessProberTest, WorksWithAUnixPath) {
    ask_by(core::ReadyProbe::How::tcp);
    worker.probe->address = "unix:/nowhere/at/all.sock";
    EXPECT_EQ(ask().text, "no such file or directory");
}

// The old worker answers 200 and the new one 500: each is probed on its own listener.
TEST_F(ReadinessProberTest, PrivateListenersDistinguishWorkers) {
    Worker former;
    former.id = WorkerId{6};
    for (Worker* one : {&former, &worker}) {
        one->probe = {core::ReadyProbe::How::http, Where::private_listener, "", "/ready"};
        auto made = os::ProbeListener::open("", std::to_string(one->id.value));
        ASSERT_TRUE(made) << made.error().text;
        one->probe_listener.emplace(std::move(*made));
    }
    std::jthread old_one([&] { serve_once("HTTP/1.1 200 OK\r\n\r\n", former.probe_listener->fd()); });
    std::jthread new_one([&] { serve_once("HTTP/1.1 500 No\r\n\r\n", worker.probe_listener->fd()); });
    prober.probe(former);
    EXPECT_EQ(next().answer, Answer::good);
    const auto answer = ask();
    EXPECT_EQ(answer.worker, WorkerId{7});
    EXPECT_EQ(answer.text, "HTTP 500");
}

TEST_F(ReadinessProberTest, ReportsAFullQueueOfAPrivateListener) {
    worker.probe = {core::ReadyProbe::How::http, Where::private_listener, "", "/"};
    auto made = os::ProbeListener::open("", "7");
    ASSERT_TRUE(made);
    worker.probe_listener.emplace(std::move(*made));
    std::vector<os::UniqueFd> waiting;
    for (auto socket = os::begin_connect(worker.probe_listener->address()); socket;
         socket = os::begin_connect(worker.probe_listener->address())) {
        waiting.push_back(std::move(*socket));
    }
    EXPECT_EQ(ask().text, "its accept queue is full");
}

}  // namespace
}  // namespace holdfast::runtime
