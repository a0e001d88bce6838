#pragma once

#include <string>

namespace holdfast::test {

// A directory whose file system never answers, like a dead network mount: whoever looks at it hangs until this dies.
// Lives in a mount namespace of the test's own, so that nothing is left mounted. Needs root and /dev/fuse.
class HungMount {
  public:
    explicit HungMount(const std::string& path);  // an existing, empty directory
    ~HungMount();
    HungMount(const HungMount&) = delete;
    HungMount& operator=(const HungMount&) = delete;

    const std::string& path() const { return path_; }
    // Waits until somebody is stuck in it; throws where nobody comes.
    void wait_until_accessed() const;

  private:
    void answer_init() const;

    std::string path_;
    int fuse_fd_ = -1;
};

}  // namespace holdfast::test
