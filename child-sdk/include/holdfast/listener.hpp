#pragma once

#include <string>

namespace holdfast {

/// The origin of a listening socket.
enum class Origin {
    inherited,   ///< inherited from the supervisor (or systemd), where it stays open after this process ends
    bound_here,  ///< bound by this process, which runs standalone
};

/// A bound listening socket that this process may accept from. Obtained from Worker; closed by the destructor.
///
/// An inherited socket is shared with the supervisor and with other workers, and so are its flags and its backlog. Do
/// not call shutdown(2) or listen(2) on it, and do not rely on O_NONBLOCK, which the other processes can set or clear
/// at any time: use poll(2), and call accept(2) only where blocking does no harm. Closing the socket is harmless.
///
/// In a drain without a supervisor, the SDK lets the program empty the accept queue and then shuts the socket down, so
/// that later clients are refused at once; accept(2) then fails with EINVAL.
///
/// Not synchronised: use it from one thread at a time.
class Listener {
  public:
    /// Takes ownership of the descriptor; `other` is left without one.
    Listener(Listener&& other) noexcept;
    /// Closes its own descriptor and takes ownership of the other one.
    Listener& operator=(Listener&& other) noexcept;
    ~Listener();

    /// The file descriptor, still owned by this object. Close-on-exec. -1 after release().
    int fd() const { return fd_; }

    /// The name that was requested, or given with `--listen http=:8080`: "http".
    const std::string& name() const { return name_; }

    /// The address that it is bound to: "127.0.0.1:8080", "[::]:8080", "unix:/run/app.sock", "unix:@name".
    const std::string& address() const { return address_; }

    /// Whether it was inherited or bound by this process.
    Origin origin() const { return origin_; }

    /// Gives up ownership of the descriptor, for a library that closes it itself.
    [[nodiscard]] int release();

  private:
    friend class Worker;
    Listener(int fd, std::string name, std::string address, Origin origin);
    void close();

    int fd_ = -1;
    std::string name_;
    std::string address_;
    Origin origin_ = Origin::inherited;
};

}  // namespace holdfast
