#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "core/configuration.hpp"
#include "os/launch_spec.hpp"
#include "runtime/listeners.hpp"

namespace holdfast::runtime {

using SharedLaunchSpec = std::shared_ptr<const os::LaunchSpec>;
using SharedConfiguration = std::shared_ptr<const core::Configuration>;

// What the workers of one generation are launched from.
struct GenerationSpec {
    SharedLaunchSpec launch_spec;  // empty: it is resolved with its first worker
    SharedConfiguration configuration;
    ListenerUses listeners;
    Generation made_for;
};

// The specs that core has not forgotten.
class LaunchSpecs {
  public:
    GenerationSpec* find(LaunchSpecId id) {
        const auto found = specs_.find(id);
        return found == specs_.end() ? nullptr : &found->second;
    }
    GenerationSpec& add(LaunchSpecId id, GenerationSpec spec) { return specs_[id] = std::move(spec); }
    void forget(LaunchSpecId id) { specs_.erase(id); }

    // Of a spec that is being prepared, and is none yet: nobody may close them meanwhile.
    void reserve(ListenerUses uses) { reserved_ = std::move(uses); }
    void release() { reserved_.clear(); }

    // All that may still be needed.
    std::vector<ListenerUses> listeners() const {
        std::vector<ListenerUses> result{reserved_};
        for (const auto& [id, spec] : specs_) result.push_back(spec.listeners);
        return result;
    }

    // The one that serves: what a reload that keeps the workers changes.
    void serve(LaunchSpecId id) { serving_ = id; }
    GenerationSpec* serving() { return find(serving_); }

  private:
    std::map<LaunchSpecId, GenerationSpec> specs_;
    LaunchSpecId serving_;
    ListenerUses reserved_;
};

}  // namespace holdfast::runtime
