#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace holdfast {

class StageMachine;

/// Who may use a resource: a task, another resource, or everything of a kind. A value; made by the SDK.
class User {
  public:
    /// What it stands for.
    enum class Kind : std::uint8_t { requests, sessions, work, tasks, task, resource };

    /// Made by the SDK: there are constants for those of a kind, and Task and Resource for one.
    constexpr explicit User(Kind kind, std::uint32_t id = 0) : kind_(kind), id_(id) {}
    constexpr Kind kind() const { return kind_; }            ///< what it stands for
    constexpr std::uint32_t id() const { return id_; }       ///< of a task or a resource; 0 for the others
    friend constexpr bool operator==(User, User) = default;  ///< the same kind and id

  private:
    Kind kind_;
    std::uint32_t id_;
};

inline constexpr User requests{User::Kind::requests};  ///< every request, now and later
inline constexpr User sessions{User::Kind::sessions};  ///< every session, overdue ones too
inline constexpr User work{User::Kind::work};    ///< every item of work, those that running tasks may still take too
inline constexpr User tasks{User::Kind::tasks};  ///< every task, now and later

/// A background task, from Worker::start_task: a name for it, to be given to Resource::used_by.
class Task {
  public:
    /// For Resource::used_by.
    operator User() const { return user_; }

  private:
    friend class Worker;
    explicit Task(User user) : user_(user) {}

    User user_;
};

/// Something that is closed in the drain, from Worker::resource: a handle, copyable, not the resource itself. Valid as
/// long as the Worker.
class Resource {
  public:
    /// The resource is closed only after all of these have been released. Throws std::logic_error, naming the circle,
    /// if one of the users is (by way of others) used by this resource: that one is not added; also if the resource
    /// is being closed already.
    template <class... Users>
    Resource& used_by(Users... users) {
        (add_user(users), ...);
        return *this;
    }

    /// How long its close may take before the drain names it and goes on with what does not depend on it: 5 s unless
    /// told otherwise.
    Resource& within(std::chrono::milliseconds close_period);

    /// For Resource::used_by of another one.
    operator User() const { return User(User::Kind::resource, id_); }

  private:
    friend class Worker;
    Resource(std::shared_ptr<StageMachine> stage_machine, std::uint32_t id);
    void add_user(User user);

    std::shared_ptr<StageMachine> stage_machine_;
    std::uint32_t id_;
};

}  // namespace holdfast
