// The commands of the program. Each takes the words after its name and returns the exit code: 0 done, 1 the work
// failed, 2 wrong usage. A command is offered as soon as it has a line in the table of `dispatch.cpp`.
#pragma once

#include <string>
#include <vector>

namespace reconciler {

/// `arguments` are those of the program without its name.
int dispatch(const std::vector<std::string>& arguments);

int run(const std::vector<std::string>& arguments);
int demo(const std::vector<std::string>& arguments);
int validate(const std::vector<std::string>& arguments);
int plan(const std::vector<std::string>& arguments);
int status(const std::vector<std::string>& arguments);
int history(const std::vector<std::string>& arguments);
int at(const std::vector<std::string>& arguments);
int audit(const std::vector<std::string>& arguments);
int verify(const std::vector<std::string>& arguments);
int approve(const std::vector<std::string>& arguments);
int abort(const std::vector<std::string>& arguments);
int retry(const std::vector<std::string>& arguments);
int pause(const std::vector<std::string>& arguments);
int resume(const std::vector<std::string>& arguments);
int cluster(const std::vector<std::string>& arguments);
int sim(const std::vector<std::string>& arguments);

}  // namespace reconciler
