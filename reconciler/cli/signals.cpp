#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace reconciler {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGUSR2);  // from our own destructor
  return set;
}

}  // namespace

void StopSignals::block() {
  // A server that hangs up in mid-write must not end the program.
  signal(SIGPIPE, SIG_IGN);
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopSignals::StopSignals(std::function<void()> wake) : wake_(std::move(wake)) {
  thread_ = std::thread([this] { listen(); });
}

void StopSignals::listen() {
  const sigset_t set = stop_signals();
  for (int number = 0; !ending_;) {
    if (sigwait(&set, &number) != 0 || ending_) continue;
    if (number == SIGUSR2) continue;
    if (stopping_.exchange(true)) _exit(1);  // asked twice: a person is waiting
    signal(SIGALRM, [](int) { _exit(0); });
    alarm(kStopSeconds);
    wake_();
  }
}

StopSignals::~StopSignals() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

}  // namespace reconciler
