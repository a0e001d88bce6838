#pragma once

#include <optional>
#include <thread>
#include <vector>

#include "random_program.hpp"

namespace holdfast {

// A thread of a RandomProgram: begins, keeps, passes on and ends, until the program winds up.
class RandomProgram::Thread {
  public:
    Thread(RandomProgram& program, unsigned seed);
    ~Thread() = default;  // joins
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;

  private:
    void run();
    void act();
    void use_kept();
    void begin_request();
    void end_request(std::optional<Request> request);
    void end_on_new_thread();
    void look();
    void begin_session();
    void leave();
    void hold_work();
    void finish_work();
    void start_task();
    void add_resource();

    struct KeptWork {
        Item* item;
        Work work;
    };

    RandomProgram& program_;
    Random random_;
    std::vector<WatchedPool*> own_;  // used by requests as well; added by this thread
    std::vector<Request> requests_;
    std::vector<Session> sessions_;
    std::vector<KeptWork> work_;
    std::jthread thread_;
};

}  // namespace holdfast
