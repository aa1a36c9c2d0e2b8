package gateway_test

import (
	"encoding/json"
	"encoding/xml"
	"testing"

	"portico/gateway/gatewaytest"
)

// What a client of ownCloud's or Nextcloud's asks first, as far as it is played.
func TestApps(t *testing.T) {
	h := newHouse(t)
	top := h.at("")
	var status struct {
		Installed, Maintenance bool
		Version                string
	}
	res := top.Get("/status.php").Want(200)
	if err := json.Unmarshal([]byte(res.Text), &status); err != nil || !status.Installed || status.Maintenance || status.Version != "10.0.0.0" {
		t.Errorf("status.php: %s, %v", res.Text, err)
	}
	for _, v := range []string{"v1", "v2"} {
		top.Get("/ocs/"+v+".php/cloud/capabilities?format=json").Want(200).WantIn(`"chunking":"1.0"`, `"webdav-root":"remote.php/webdav"`)
		var user struct {
			OCS struct {
				Meta struct{ Statuscode int }
				Data struct {
					ID   string
					Name string `json:"display-name"`
				}
			}
		}
		res := top.Get("/ocs/" + v + ".php/cloud/user?format=json").Want(200)
		if err := json.Unmarshal([]byte(res.Text), &user); err != nil || user.OCS.Data.ID != "ann" || user.OCS.Data.Name != "Ann Peeters" {
			t.Errorf("the user: %s, %v", res.Text, err)
		}
		var plain struct {
			Meta struct {
				Code int `xml:"statuscode"`
			} `xml:"meta"`
			Data struct {
				ID string `xml:"id"`
			} `xml:"data"`
		}
		res = top.Get("/ocs/" + v + ".php/cloud/user").Want(200)
		if err := xml.Unmarshal([]byte(res.Text), &plain); err != nil || plain.Data.ID != "ann" || plain.Meta.Code != map[string]int{"v1": 100, "v2": 200}[v] {
			t.Errorf("the user: %s, %v", res.Text, err)
		}
		gatewaytest.As(t, h.server.URL, "ann", "wrong").Get("/ocs/" + v + ".php/cloud/user").Want(401)
	}
	top.Do("POST", "/ocs/v2.php/cloud/user", "").Want(405)
	top.Do("DELETE", "/status.php", "").Want(405)
	top.Get("/ocs/v3.php/cloud/user").Want(404)
	top.Get("/index.php/login/v2").Want(404)
}
