#pragma once

#include <string>

namespace holdfast {

/// Where a listening socket comes from.
enum class Origin {
    inherited,   ///< handed over by the supervisor (or by systemd): it lives on when this process ends
    bound_here,  ///< bound by this process, which stands alone
};

/// A bound, listening socket that this process may accept from. Got from Worker; closed when destroyed.
///
/// An inherited socket is shared with the supervisor and with other workers, and so are its flags and its backlog: do
/// not shutdown(2) it, do not listen(2) on it again, and do not rely on O_NONBLOCK, which any of the others can set or
/// clear at any time: ask poll(2), and let accept(2) block nothing that matters. Closing it is harmless.
///
/// Not synchronised: one thread at a time.
class Listener {
  public:
    /// Takes the descriptor over; the other has none then.
    Listener(Listener&& other) noexcept;
    /// Closes its own, and takes the other's over.
    Listener& operator=(Listener&& other) noexcept;
    ~Listener();

    /// The descriptor, still owned by this object. Close-on-exec. -1 after release().
    int fd() const { return fd_; }

    /// "http", as it was asked for or named with `--listen http=:8080`.
    const std::string& name() const { return name_; }

    /// What it is really bound to: "127.0.0.1:8080", "[::]:8080", "unix:/run/app.sock", "unix:@name".
    const std::string& address() const { return address_; }

    /// Where it comes from.
    Origin origin() const { return origin_; }

    /// Gives the descriptor away, to a library that closes it itself.
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
