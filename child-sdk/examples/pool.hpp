#pragma once

#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>

// Stands for a resource that a real server opens once and all requests use, such as a pool of database connections.
// Throws if it is closed while a request uses it, or used after it was closed: the mistakes of a drain in the wrong
// order.
class Pool {
  public:
    class Lease {
      public:
        explicit Lease(Pool& pool) : pool_(pool) {
            ++pool_.leases_;
            if (pool_.closed_) throw std::logic_error("the pool is used after it was closed");
        }
        ~Lease() { --pool_.leases_; }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;

        std::string_view answer() const { return "OK\n"; }

      private:
        Pool& pool_;
    };

    void close() {
        closed_ = true;
        const int leases = leases_;
        if (leases != 0) throw std::logic_error(std::to_string(leases) + " requests still use it");
    }

  private:
    std::atomic<int> leases_ = 0;
    std::atomic<bool> closed_ = false;
};
