#include "hello.hpp"

#include <string>

#include "version.hpp"

namespace holdfast {

Report hello(Pausing pausing) {
    Report report;
    report.hello = true;
    report.sdk = "cpp/" + std::string(sdk_version);
    report.stages.emplace();
    for (Stage stage : {Stage::lame_duck, Stage::drain, Stage::cancel}) report.stages->add(stage);
    if (pausing == Pausing::possible) {
        for (Stage stage : {Stage::pause, Stage::run}) report.stages->add(stage);
    }
    return report;
}

}  // namespace holdfast
