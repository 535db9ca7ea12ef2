#include <exception>
#include <iostream>

#include "cli/commands.h"

int main(int argc, char** argv) {
  try {
    return reconciler::dispatch({argv + (argc > 0), argv + argc});
  } catch (const std::exception& error) { std::cerr << "serin: " << error.what() << "\n"; } catch (...) {
    std::cerr << "serin: stopped by an unknown error\n";
  }
  return 1;
}
