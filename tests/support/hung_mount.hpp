#pragma once

#include <string>

namespace holdfast::test {

// A directory whose file system never answers, like a dead network mount: a process that accesses it blocks until this
// object is destroyed. The test gets its own mount namespace, so that nothing stays mounted. Requires root and
// /dev/fuse.
class HungMount {
  public:
    explicit HungMount(const std::string& path);  // an existing, empty directory
    ~HungMount();
    HungMount(const HungMount&) = delete;
    HungMount& operator=(const HungMount&) = delete;

    const std::string& path() const { return path_; }
    // Waits until a process is blocked in it; throws if none accesses it in time.
    void wait_until_accessed() const;

  private:
    void answer_init() const;

    std::string path_;
    int fuse_fd_ = -1;
};

}  // namespace holdfast::test
