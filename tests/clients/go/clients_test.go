// Clients of the Go world, unchanged, on the embedded API: the suite is started by envtest, whose kube-apiserver and etcd
// are this repository's program under their names.
package clients

import (
	"context"
	"os"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

var config *rest.Config

func TestMain(m *testing.M) {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	environment := &envtest.Environment{}
	started := time.Now()
	var err error
	if config, err = environment.Start(); err != nil {
		panic(err)
	}
	println("envtest started in", time.Since(started).Milliseconds(), "ms")
	code := m.Run()
	if err := environment.Stop(); err != nil {
		panic(err)
	}
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("never: " + what)
}

// Informers list by watching (WatchList), and see what happens later.
func TestInformer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	clients := kubernetes.NewForConfigOrDie(config)
	maps := clients.CoreV1().ConfigMaps("default")
	_, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "before"}}, metav1.CreateOptions{})
	must(t, err)
	factory := informers.NewSharedInformerFactory(clients, 0)
	informer := factory.Core().V1().ConfigMaps()
	deleted := make(chan string, 1)
	_, err = informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(object any) { deleted <- object.(*corev1.ConfigMap).Name },
	})
	must(t, err)
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		t.Fatal("the cache never synced")
	}
	lister := informer.Lister().ConfigMaps("default")
	_, err = lister.Get("before")
	must(t, err)
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "after"}}, metav1.CreateOptions{})
	must(t, err)
	eventually(t, "a new object is seen", func() bool { _, err := lister.Get("after"); return err == nil })
	must(t, maps.Delete(ctx, "before", metav1.DeleteOptions{}))
	if name := <-deleted; name != "before" {
		t.Fatal("deleted: " + name)
	}
}

type scaler struct{ client.Client }

// Makes a Deployment for every ConfigMap with the label, and owns it.
func (s scaler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var source corev1.ConfigMap
	if err := s.Get(ctx, request.NamespacedName, &source); err != nil || source.Labels["deploy"] != "yes" {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	labels := map[string]string{"app": source.Name}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: source.Name, Namespace: source.Namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: source.Data["image"]}}},
			},
		},
	}
	if err := ctrl.SetControllerReference(&source, deployment, s.Scheme()); err != nil {
		return reconcile.Result{}, err
	}
	err := s.Create(ctx, deployment)
	if apierrors.IsAlreadyExists(err) {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, err
}

// A manager elects itself by a Lease and reconciles; bodies of built-in kinds are protobuf.
func TestManagerWithLeaderElection(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	manager, err := ctrl.NewManager(config, ctrl.Options{
		LeaderElection:          true,
		LeaderElectionID:        "clients",
		LeaderElectionNamespace: "default",
		Metrics:                 metricsserver.Options{BindAddress: "0"},
	})
	must(t, err)
	must(t, ctrl.NewControllerManagedBy(manager).For(&corev1.ConfigMap{}).Owns(&appsv1.Deployment{}).
		Complete(scaler{manager.GetClient()}))
	done := make(chan error, 1)
	go func() { done <- manager.Start(ctx) }()
	direct, err := client.New(config, client.Options{})
	must(t, err)
	source := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", Labels: map[string]string{"deploy": "yes"}},
		Data:       map[string]string{"image": "nginx"},
	}
	must(t, direct.Create(ctx, source))
	var made appsv1.Deployment
	key := client.ObjectKeyFromObject(source)
	eventually(t, "the Deployment is made", func() bool { return direct.Get(ctx, key, &made) == nil })
	if owner := metav1.GetControllerOf(&made); owner == nil || owner.UID != source.UID || *made.Spec.Replicas != 1 {
		t.Fatalf("not as asked: %v", made)
	}
	replicas := int32(3)
	made.Spec.Replicas = &replicas
	must(t, direct.Update(ctx, &made))
	made.Status.Replicas = 3
	must(t, direct.Status().Update(ctx, &made))
	made.ResourceVersion = "1"
	if err := direct.Update(ctx, &made); !apierrors.IsConflict(err) {
		t.Fatalf("a stale update: %v", err)
	}
	cancel()
	must(t, <-done)
}

// envtest installs CustomResourceDefinitions and waits for discovery; server-side apply works on their objects.
func TestCustomResources(t *testing.T) {
	ctx := context.Background()
	preserve := true
	_, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "example.com",
			Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{
					OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &preserve},
				},
			}},
		},
	}}})
	must(t, err)
	direct, err := client.New(config, client.Options{})
	must(t, err)
	widget := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"size": int64(1)}}}
	widget.SetGroupVersionKind(schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"})
	widget.SetNamespace("default")
	widget.SetName("a")
	must(t, direct.Apply(ctx, client.ApplyConfigurationFromUnstructured(widget), client.FieldOwner("me")))
	other := widget.DeepCopy()
	other.SetManagedFields(nil)
	other.SetResourceVersion("")
	other.Object["spec"] = map[string]any{"size": int64(2)}
	err = direct.Apply(ctx, client.ApplyConfigurationFromUnstructured(other), client.FieldOwner("you"))
	if !apierrors.IsConflict(err) {
		t.Fatalf("another manager's field: %v", err)
	}
}
