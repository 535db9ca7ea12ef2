#include "git/servers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "git/people.h"

namespace reconciler::testing {
namespace {

std::string make_certificate(const std::string& folder, const std::string& name) {
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -addext "
      "subjectAltName=" +
      name + " -keyout " + folder + "/tls.key -out " + folder + "/tls.pem");
  return folder + "/tls.pem " + folder + "/tls.key";
}

std::string python_server(const std::string& arguments) {
  return "exec python3 " SERIN_SOURCE_DIR "/tests/git/http_server.py " + arguments;
}

}  // namespace

Child::Child(const std::string& command) {
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    dup2(input[0], 0);
    dup2(output[1], 1);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  input_ = input[1];
  for (char c; read(output[0], &c, 1) == 1 && c != '\n';) first_line_ += c;
  close(output[0]);
  if (first_line_.empty()) throw std::runtime_error("did not start: " + command);
}

Child::~Child() {
  close(input_);  // both kinds of server end with their input
  for (int tries = 0; tries < 500 && waitpid(pid_, nullptr, WNOHANG) == 0; tries++) {
    if (tries == 400) kill(pid_, SIGKILL);
    usleep(10'000);
  }
}

HttpServer::HttpServer(const std::string& folder) : folder_(folder), scheme_("http"), child_(python_server(folder)) {}

HttpServer::HttpServer(const std::string& folder, const std::string& name)
    : folder_(folder), scheme_("https"), child_(python_server(folder + " " + make_certificate(folder, name))) {}

std::string HttpServer::url(const std::string& how, const std::string& repository, const std::string& host) const {
  return scheme_ + "://" + host + ":" + child_.first_line() + "/" + how + "/" + repository;
}

size_t HttpServer::requests(const std::string& text) const {
  std::ifstream log(folder_ + "/requests.log");
  size_t count = 0;
  for (std::string line; std::getline(log, line);) count += line.find(text) != line.npos;
  return count;
}

namespace {

std::string nginx_server(const std::string& folder, NginxServer::Tls tls) {
  std::string command = "exec python3 " SERIN_SOURCE_DIR "/tests/git/nginx_server.py " + folder;
  if (tls == NginxServer::Tls::None) return command;
  command += " " + make_certificate(folder, "IP:127.0.0.1");
  if (tls == NginxServer::Tls::Server) return command;
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=client -keyout " +
      folder + "/client.key -out " + folder + "/client.pem");
  return command + " " + folder + "/client.pem";
}

}  // namespace

NginxServer::NginxServer(const std::string& folder, Tls tls)
    : folder_(folder), scheme_(tls == Tls::None ? "http" : "https"), child_(nginx_server(folder, tls)) {}

bool NginxServer::is_installed() {
  return access("/usr/sbin/nginx", X_OK) == 0 && access("/usr/sbin/fcgiwrap", X_OK) == 0;
}

std::string NginxServer::url(const std::string& how, const std::string& repository) const {
  return scheme_ + "://127.0.0.1:" + child_.first_line() + "/" + how + "/" + repository;
}

bool SshServer::is_installed() { return access("/usr/sbin/sshd", X_OK) == 0; }

SshServer::SshServer(const std::string& folder, const std::string& type, const std::string& passphrase)
    : folder_(folder), child_([&] {
        auto ssh = folder + "/ssh";
        run("mkdir -p -m 700 " + ssh + " && ssh-keygen -q -t " + type + " -N '' -f " + ssh +
            "/host && ssh-keygen -q -t " + type + " -N '" + passphrase + "' -f " + ssh + "/client && cp " + ssh +
            "/client.pub " + ssh + "/authorized && chmod 600 " + ssh + "/authorized");
        // sshd takes no port zero: try some, and say which one it was.
        return "mkdir -p /run/sshd 2>/dev/null; for i in 1 2 3 4 5 6 7 8; do port=$((20000 + ($$ * 8 + i) % 40000)); "
               "/usr/sbin/sshd -D -e -f /dev/null -p $port -h " +
               ssh +
               "/host -o ListenAddress=127.0.0.1 "
               "-o PidFile=none -o UsePAM=no -o StrictModes=no -o AuthorizedKeysFile=" +
               ssh +
               "/authorized "
               "-o PasswordAuthentication=no 2>" +
               ssh +
               "/log & sshd=$!; "
               "for wait in $(seq 100); do if grep -q 'Server listening' " +
               ssh +
               "/log; then echo $port; cat >/dev/null; "
               "kill $sshd; exit; fi; kill -0 $sshd 2>/dev/null || break; sleep 0.05; done; done";
      }()) {}

std::string SshServer::url(const std::string& repository_path) const {
  return "ssh://" + run("id -un") + "@127.0.0.1:" + port() + repository_path;
}

std::string SshServer::host_key() const { return run("cut -d' ' -f1,2 " + folder_ + "/ssh/host.pub"); }

}  // namespace reconciler::testing
