#include "core/action_order.hpp"

#include <algorithm>
#include <variant>

namespace holdfast::core {
namespace {

enum class Group { act, log, check, forget };

Group group_of(const Action& action) {
    if (std::holds_alternative<Note>(action)) return Group::log;
    if (std::holds_alternative<CheckBacklogs>(action)) return Group::check;
    if (std::holds_alternative<Forget>(action)) return Group::forget;
    return Group::act;
}

}  // namespace

std::vector<Action> in_execution_order(std::vector<Action> actions) {
    std::ranges::stable_sort(actions, {}, group_of);
    return actions;
}

}  // namespace holdfast::core
