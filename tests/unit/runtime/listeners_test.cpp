// Which listeners are refused during a reload.

#include "runtime/listeners.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::runtime {
namespace {

struct RemovedListenerAdmissionTest : ::testing::Test {
    void open(const std::string& text) { ASSERT_TRUE(listeners.open({*parse_listen_address(text)})); }

    bool lets_clients_in() const {
        sockaddr_storage place{};
        socklen_t length = sizeof place;
        auto* address = reinterpret_cast<sockaddr*>(&place);
        if (::getsockname(listeners.fds().front(), address, &length) != 0) return false;
        const os::UniqueFd client{::socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        return ::connect(client.get(), address, length) == 0;
    }

    boost::asio::io_context io;
    Output output{STDERR_FILENO};
    Log log{output, core::LogFormat::text, "web", "error"};
    Listeners listeners{io, log};
};

TEST_F(RemovedListenerAdmissionTest, RefusesAndAcceptsAgainOnATcpListener) {
    open("127.0.0.1:0");
    listeners.set_removed_listener_admission({}, core::Admission::refuse);
    EXPECT_FALSE(lets_clients_in());
    listeners.set_removed_listener_admission({}, core::Admission::accept);
    EXPECT_TRUE(lets_clients_in());
}

TEST_F(RemovedListenerAdmissionTest, DoesNotRefuseOnAnAbstractNameThatCouldNotBeRestored) {
    open("unix:@holdfast-removed-listener-" + std::to_string(::getpid()));
    const os::UniqueFd workers{::dup(listeners.fds().front())};
    listeners.set_removed_listener_admission({}, core::Admission::refuse);
    EXPECT_TRUE(lets_clients_in()) << "the client must wait in the queue";
    listeners.set_removed_listener_admission({}, core::Admission::accept);
    EXPECT_TRUE(lets_clients_in());
}

}  // namespace
}  // namespace holdfast::runtime
