#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace holdfast {

class StageMachine;

/// A user of a resource: a task, another resource, or everything of one kind. A plain value, created by the SDK.
class User {
  public:
    /// What the user is.
    enum class Kind : std::uint8_t { requests, sessions, work, tasks, task, resource };

    /// Created by the SDK: use the constants below for a whole kind, and Task and Resource for a single user.
    constexpr explicit User(Kind kind, std::uint32_t id = 0) : kind_(kind), id_(id) {}
    constexpr Kind kind() const { return kind_; }            ///< what the user is
    constexpr std::uint32_t id() const { return id_; }       ///< the id of a task or a resource; 0 for whole kinds
    friend constexpr bool operator==(User, User) = default;  ///< same kind and id

  private:
    Kind kind_;
    std::uint32_t id_;
};

inline constexpr User requests{
    User::Kind::requests};  ///< every request, present and future, including those that running tasks may still begin
inline constexpr User sessions{User::Kind::sessions};  ///< every session, including overdue ones
inline constexpr User work{
    User::Kind::work};  ///< every item of work, including those that running tasks may still take
inline constexpr User tasks{User::Kind::tasks};  ///< every task, present and future

/// A background task, from Worker::start_task. Pass it to Resource::used_by.
class Task {
  public:
    /// For Resource::used_by.
    operator User() const { return user_; }

  private:
    friend class Worker;
    explicit Task(User user) : user_(user) {}

    User user_;
};

/// A handle to a resource that the drain closes, from Worker::resource. Copyable; does not own the resource. Valid as
/// long as the Worker.
class Resource {
  public:
    /// Declares that `users` use the resource: it is closed only after all of them have been released. Throws
    /// std::logic_error if a user itself depends on this resource, directly or indirectly (the message names the
    /// cycle), or if the close of this resource has begun; that user is not added.
    template <class... Users>
    Resource& used_by(Users... users) {
        (add_user(users), ...);
        return *this;
    }

    /// Sets the timeout of the resource's close; 5 s by default. After it, the drain reports the resource by name and
    /// continues with what does not depend on it.
    Resource& within(std::chrono::milliseconds close_period);

    /// For Resource::used_by of another resource.
    operator User() const { return User(User::Kind::resource, id_); }

  private:
    friend class Worker;
    Resource(std::shared_ptr<StageMachine> stage_machine, std::uint32_t id);
    void add_user(User user);

    std::shared_ptr<StageMachine> stage_machine_;
    std::uint32_t id_;
};

}  // namespace holdfast
